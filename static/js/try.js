// The home page's first call: asks the demo model with the key that was typed, which is kept nowhere.
"use strict";
(() => {
  const form = document.getElementById("try");
  if (!form) return;
  const output = document.getElementById("try-answer");
  const text = output.querySelector(".text");
  const link = output.querySelector("a");

  async function ask(key, prompt) {
    const response = await fetch("/v1/messages", {
      method: "POST",
      credentials: "omit",
      headers: { "content-type": "application/json", "x-api-key": key, "anthropic-version": "2023-06-01" },
      body: JSON.stringify({ model: "demo/echo", max_tokens: 256, messages: [{ role: "user", content: prompt }] }),
    });
    const body = await response.json();
    const words = response.ok ? body.content.map((block) => block.text ?? "").join("\n") : body.error.message;
    return { ok: response.ok, words, call: response.headers.get("x-luthien-call-id") };
  }

  function show({ ok, words, call }) {
    output.hidden = false;
    output.className = `notice ${ok ? "tone-allowed" : "tone-blocked"}`;
    text.textContent = words;
    link.hidden = !call;
    if (call) link.href = `/calls/${encodeURIComponent(call)}/`;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      show(await ask(form.elements.key.value.trim(), form.elements.prompt.value));
    } catch {
      show({ ok: false, words: "The gateway did not answer in a way this page understands. Is it still running?" });
    } finally {
      button.disabled = false;
    }
  });
})();
