// Keys of a page, as its markup names them: j and k step through [data-step], ? tells them all, and any other key
// clicks the first visible element that has it as data-key. The help says an element's data-key-label, or its text.
"use strict";
(() => {
  const shown = (selector) => [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility());
  const keyed = () => shown("[data-key]");
  let at = null;

  function step(by) {
    const all = shown("[data-step]");
    const from = all.indexOf(document.activeElement.closest("[data-step]") ?? at);
    const next = all[from < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(from + by, 0), all.length - 1)];
    if (!next) return;
    at = next;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  function entries() {
    const steps = shown("[data-step]");
    const stepping = steps.length ? [["j", `Next ${steps[0].dataset.step || "entry"}`], ["k", `Previous ${steps[0].dataset.step || "entry"}`]] : [];
    const own = keyed().map((element) => [element.dataset.key, element.dataset.keyLabel || element.textContent.trim()]);
    return [...stepping, ...own, ["?", "These keys"], ["Esc", "Close this"]];
  }

  function help() {
    const dialog = document.createElement("dialog");
    dialog.className = "keys-help";
    dialog.setAttribute("aria-label", "Keys of this page");
    const list = document.createElement("dl");
    for (const [key, meaning] of entries()) {
      const line = document.createElement("div");
      const sign = document.createElement("kbd");
      sign.textContent = key;
      line.append(document.createElement("dt"), document.createElement("dd"));
      line.firstChild.append(sign);
      line.lastChild.textContent = meaning;
      list.append(line);
    }
    const close = document.createElement("button");
    close.type = "button";
    close.className = "button";
    close.textContent = "Close";
    close.addEventListener("click", () => dialog.close());
    dialog.append(list, close);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog, [contenteditable]")) return;
    const keys = { j: () => step(1), k: () => step(-1), "?": help };
    const element = keyed().find((each) => each.dataset.key === event.key);
    const act = element ? () => element.click() : keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys-help]")) help();
  });
})();
