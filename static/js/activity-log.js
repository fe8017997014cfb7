// Live activity: the rows, the filter and the pause. Hears "activity:message" and says "activity:filter".
"use strict";
(() => {
  const MOST_ROWS = 400;
  const MOST_HELD = 2000;
  const form = document.getElementById("activity-filter");
  const log = document.getElementById("activity-log");
  const empty = document.getElementById("activity-empty");
  const pause = document.getElementById("activity-pause");
  const template = document.getElementById("activity-row");
  const kinds = Object.fromEntries([...form.elements.kind.options].map((option) => [option.value, option.text]));
  let held = null;
  let heldMissed = 0;

  // Nothing that a client or a model wrote may hide or turn the text around it.
  const hidden = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;
  const visible = (text) => String(text).replace(hidden, (sign) => `\\u{${sign.codePointAt(0).toString(16)}}`);

  const verdictTones = { allow: "allowed", replace: "changed", reroute: "changed", retry: "changed", block: "blocked", stop: "blocked", refuse: "blocked", respond: "blocked", asked: "idle", not_reached: "idle", dropped: "changed" };
  const outcomeTones = { finished: "allowed", blocked: "blocked", refused: "blocked", cancelled: "idle" };

  function tone(event) {
    if (event.kind === "verdict") return verdictTones[event.verdict] ?? "failed";
    if (event.kind === "finished") return outcomeTones[event.outcome] ?? "failed";
    return "idle";
  }

  function who(event) {
    const names = [event.policy && `${event.policy}@${event.version}${event.mode === "shadow" ? " in shadow" : ""}`, event.key, event.team, event.model];
    return names.filter(Boolean).map(visible).join(" · ");
  }

  function row(event) {
    const item = template.content.firstElementChild.cloneNode(true);
    const at = new Date(event.at / 1000);
    const time = item.querySelector("time");
    item.dataset.at = event.at;
    item.dataset.call = event.call;
    item.dataset.kind = event.kind;
    time.dateTime = at.toISOString();
    time.textContent = at.toISOString().slice(11, 23);
    const badge = item.querySelector(".badge");
    badge.textContent = kinds[event.kind] ?? visible(event.kind);
    badge.classList.add(`tone-${tone(event)}`);
    item.querySelector(".summary").textContent = visible(event.summary);
    item.querySelector(".who").textContent = who(event);
    const link = item.querySelector(".to-call");
    link.href = `/calls/${encodeURIComponent(event.call)}/`;
    link.setAttribute("aria-label", `Call ${event.call}`);
    const stop = item.querySelector(".to-stop");
    if (stop) {
      stop.href = `/activity/stop/${encodeURIComponent(event.call)}/`;
      stop.setAttribute("aria-label", `Stop whoever made call ${event.call}`);
    }
    return item;
  }

  // Events come nearly in order: the place of one is among the first rows.
  function place(item) {
    let next = log.firstElementChild;
    while (next && Number(next.dataset.at) > Number(item.dataset.at)) next = next.nextElementSibling;
    log.insertBefore(item, next);
  }

  function missed(count) {
    const item = document.createElement("li");
    item.className = "missed soft";
    item.dataset.at = log.firstElementChild?.dataset.at ?? "0";
    item.textContent = `${count} more, faster than can be shown; they are among the calls.`;
    log.prepend(item);
  }

  function show(events, skipped) {
    events.forEach((event) => place(row(event)));
    if (skipped) missed(skipped);
    while (log.childElementCount > MOST_ROWS) log.lastElementChild.remove();
    empty.hidden = log.childElementCount > 0;
  }

  function hold(events, skipped) {
    held.push(...events);
    heldMissed += skipped + Math.max(held.length - MOST_HELD, 0);
    held.splice(0, held.length - MOST_HELD);
    pause.textContent = held.length ? `Go on (${held.length + heldMissed} new)` : "Go on";
  }

  document.addEventListener("activity:message", ({ detail }) => {
    if (detail.recent) {
      log.replaceChildren();
      if (held) [held, heldMissed] = [[], 0];
      show(detail.events, 0);
    } else if (held) hold(detail.events, detail.missed);
    else show(detail.events, detail.missed);
  });

  pause.addEventListener("click", () => {
    const waiting = held;
    held = waiting ? null : [];
    pause.setAttribute("aria-pressed", String(!waiting));
    pause.textContent = waiting ? "Pause" : "Go on";
    if (waiting) show(waiting, heldMissed);
    heldMissed = 0;
  });

  const wanted = () => Object.fromEntries([...new FormData(form)].filter(([, value]) => value.trim() !== ""));
  let typing;

  const used = document.getElementById("activity-filter-used");
  const fold = document.getElementById("activity-filter-fold");

  function count() {
    const fields = Object.keys(wanted()).length;
    used.textContent = fields ? `${fields} in use` : "";
  }

  // In a narrow window it would stand between the reader and what happens.
  function unfold() {
    count();
    fold.open = !matchMedia("(max-width: 720px)").matches;
  }

  function filter() {
    clearTimeout(typing);
    count();
    const query = new URLSearchParams(wanted()).toString();
    history.replaceState(null, "", query ? `?${query}` : location.pathname);
    document.dispatchEvent(new CustomEvent("activity:filter", { detail: wanted() }));
  }

  const asked = new URLSearchParams(location.search);
  for (const field of form.elements) if (asked.has(field.name)) field.value = asked.get(field.name);
  form.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(filter, 200);
  });
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    filter();
  });

  unfold();
})();
