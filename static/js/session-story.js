// The story of a session: bodies come when they are looked at, a few calls at a time; j k b e by keyboard.
"use strict";
(() => {
  const AT_ONCE = 12;
  const story = document.getElementById("story");
  const wanted = new Set();
  let loading = false;

  async function load() {
    if (loading) return;
    loading = true;
    await new Promise((resolve) => setTimeout(resolve, 60));
    while (wanted.size) {
      const some = [...wanted].slice(0, AT_ONCE);
      some.forEach((body) => wanted.delete(body));
      const query = new URLSearchParams(some.filter((body) => body.isConnected).map((body) => ["call", body.dataset.call]));
      await htmx.ajax("GET", `${story.dataset.bodies}?${query}`, { source: story, swap: "none" });
    }
    loading = false;
  }

  const eyes = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        eyes.unobserve(target);
        wanted.add(target);
      }
      if (wanted.size) load();
    },
    { rootMargin: "500px 0px" },
  );

  const watch = (part) => part.querySelectorAll("[data-call]").forEach((body) => eyes.observe(body));

  document.addEventListener("session:new", ({ detail }) => watch(detail));

  story.addEventListener("htmx:responseError", () => {
    for (const left of story.querySelectorAll("[data-call] .soft")) left.textContent = "This could not be loaded. Load the page again.";
  });

  const calls = () => [...story.querySelectorAll(".turn > .call")].filter((call) => call.checkVisibility());

  function go(call) {
    for (let fold = call.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    call.focus({ preventScroll: true });
    call.scrollIntoView({ block: "start" });
  }

  function step(by) {
    const all = calls();
    const at = all.indexOf(document.activeElement.closest?.(".call"));
    const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
    if (next) go(next);
  }

  // The first one first; from one that has the focus to the next, and from the last to the first again.
  function bad() {
    const all = [...story.querySelectorAll(".call.bad")];
    const first = document.getElementById("first-bad");
    const at = all.indexOf(document.activeElement);
    const next = at < 0 && first ? document.getElementById(first.hash.slice(1)) : all[(at + 1) % all.length];
    if (next) go(next);
  }

  function fold() {
    const subagents = [...story.querySelectorAll(".talk.subagent")];
    const open = subagents.some((talk) => !talk.open);
    for (const talk of subagents) talk.open = open;
  }

  const keys = { j: () => step(1), k: () => step(-1), b: bad, e: fold };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea") || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });

  // A link into a folded subagent unfolds it.
  function toTarget() {
    const call = location.hash.startsWith("#call-") && document.getElementById(location.hash.slice(1));
    if (call) go(call);
  }
  addEventListener("hashchange", toTarget);

  watch(story);
  toTarget();
})();
