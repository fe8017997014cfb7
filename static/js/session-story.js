// The story of a session: bodies come when they are looked at, a few calls at a time; ways to what went wrong.
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

  function go(call) {
    for (let fold = call.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    call.focus({ preventScroll: true });
    call.scrollIntoView({ block: "start" });
  }

  // The first one first; from one that has the focus to the next, and from the last to the first again.
  document.addEventListener("click", (event) => {
    const first = event.target.closest("#first-bad");
    if (!first) return;
    const all = [...story.querySelectorAll(".call.bad")];
    const at = all.indexOf(document.activeElement);
    const next = at < 0 ? document.getElementById(first.hash.slice(1)) : all[(at + 1) % all.length];
    if (!next) return;
    event.preventDefault();
    history.replaceState(null, "", `#${next.id}`);
    go(next);
  });

  document.getElementById("fold-subagents").addEventListener("click", () => {
    const subagents = [...story.querySelectorAll(".talk.subagent")];
    const open = subagents.some((talk) => !talk.open);
    for (const talk of subagents) talk.open = open;
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
