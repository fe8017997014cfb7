// The diff page of a call that is running: what happens to it, and the whole diff when it ends.
// Hears "activity:message", whose events are those of this call.
"use strict";
(() => {
  const EVERY = 400;
  const WAITS = [200, 500, 1000, 2000, 5000];
  const MOST_EVENTS = 500;
  const diff = document.getElementById("diff");
  const list = document.getElementById("diff-events");
  const state = document.getElementById("diff-state");
  const hidden = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;
  const visible = (text) => String(text).replace(hidden, (sign) => `\\u{${sign.codePointAt(0).toString(16)}}`);
  const names = {
    request_received: "Request received",
    request_sent: "Request sent",
    answer_received: "Answer received",
    answer_sent: "Answer sent",
    original_block: "Original block",
    verdict: "Verdict",
    final_block: "Final block",
    finished: "Finished",
  };
  const tones = { block: "blocked", stop: "blocked", refuse: "blocked", replace: "changed", dropped: "changed" };
  const told = new Set();
  let shown = document.getElementById("diff-parts").outerHTML;
  let timer;
  let failures = 0;
  let isFetching = false;
  let isOver = false;

  function row(event) {
    const item = document.createElement("li");
    const kind = document.createElement("span");
    const said = document.createElement("span");
    item.dataset.at = event.at;
    item.dataset.kind = event.kind;
    kind.className = `badge tone-${tones[event.verdict] ?? "idle"}`;
    kind.textContent = names[event.kind] ?? visible(event.kind);
    said.className = "wrap";
    said.textContent = visible(event.policy ? `${event.policy}@${event.version}: ${event.summary}` : event.summary);
    item.append(kind, said);
    return item;
  }

  // Events come nearly in order: the place of one is among the last rows.
  function place(item) {
    let before = list.lastElementChild;
    while (before && Number(before.dataset.at) > Number(item.dataset.at)) before = before.previousElementSibling;
    if (before) before.after(item);
    else list.prepend(item);
  }

  const address = () => {
    const url = new URL(location);
    url.searchParams.set("live", "1");
    return url;
  };

  async function refresh() {
    isFetching = true;
    timer = undefined;
    try {
      const answer = await fetch(address(), { headers: { "HX-Request": "true" }, redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      replace(await answer.text());
      failures = 0;
    } catch {
      failures += 1;
    }
    isFetching = false;
    // The record is written beside what is told of the call: it may follow the last event by a moment.
    if (failures || (isOver && diff.dataset.call)) later(WAITS[Math.min(failures, WAITS.length - 1)]);
  }

  function replace(html) {
    const parts = new DOMParser().parseFromString(html, "text/html").getElementById("diff-parts");
    if (!parts) throw new Error("no diff came");
    // What somebody opened stays open while nothing new came.
    if (parts.outerHTML !== shown) {
      shown = parts.outerHTML;
      document.getElementById("diff-parts").replaceWith(parts);
      htmx.process(parts);
      document.dispatchEvent(new CustomEvent("diff:replaced"));
    }
    if (!("running" in parts.dataset)) end(parts);
  }

  function end(parts) {
    delete diff.dataset.call;
    document.dispatchEvent(new CustomEvent("activity:leave"));
    state.replaceChildren(parts.querySelector("#diff-outcome").content.cloneNode(true));
    document.getElementById("diff-so-far").remove();
  }

  function later(wait = EVERY) {
    if (timer === undefined && !isFetching && diff.dataset.call) timer = setTimeout(refresh, wait);
  }

  document.addEventListener("activity:message", ({ detail }) => {
    const events = detail.events.filter((event) => event.call === diff.dataset.call && !told.has(event.id));
    for (const event of events) {
      told.add(event.id);
      place(row(event));
      if (event.kind === "finished") isOver = true;
    }
    while (list.childElementCount > MOST_EVENTS) list.firstElementChild.remove();
    // What was before may tell of an end that this page has not heard of.
    if (events.length || detail.recent || detail.missed) later();
  });
})();
