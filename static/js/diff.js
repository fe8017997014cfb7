// The diff page: from change to change, and side by side or inline.
"use strict";
(() => {
  const NARROW = "(max-width: 720px)";
  const diff = document.getElementById("diff");
  const where = document.getElementById("diff-place");
  const bar = document.querySelector(".diff-bar");
  // What is only taken out or put in is one stop, however long.
  const changes = () => [...diff.querySelectorAll("tbody.change, .diff-fold.change")];
  let current = null;

  function choose(view) {
    const address = new URL(location);
    address.searchParams.set("view", view);
    history.replaceState(null, "", address);
    show(view);
  }

  function show(view) {
    diff.dataset.view = view;
    for (const link of bar.querySelectorAll("[data-view]")) {
      const isShown = link.dataset.view === view;
      if (isShown) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
      // One key, for the view that is not there.
      if (isShown) delete link.dataset.key;
      else link.dataset.key = "s";
    }
    for (const link of bar.querySelectorAll("[data-as]")) {
      const other = new URL(link.href);
      other.searchParams.set("view", view);
      link.href = other;
    }
    current?.scrollIntoView({ block: "center" });
  }

  function count() {
    const all = changes();
    const at = all.indexOf(current);
    if (at < 0) where.textContent = all.length ? `${all.length} change${all.length === 1 ? "" : "s"}` : "No changes";
    else where.textContent = `Change ${at + 1} of ${all.length}`;
    for (const button of bar.querySelectorAll("[data-by]")) button.disabled = !all.length;
  }

  // Behind a change that is gone, the next one is looked for from what is in sight.
  function from(all, step) {
    const at = all.indexOf(current);
    if (at >= 0) return at + step;
    const top = bar.getBoundingClientRect().bottom;
    const below = all.findIndex((change) => change.getBoundingClientRect().bottom > top);
    if (step > 0) return below < 0 ? all.length - 1 : below;
    return below < 0 ? all.length - 1 : below - 1;
  }

  function move(step) {
    const all = changes();
    if (!all.length) return;
    current?.classList.remove("current");
    current = all[Math.min(Math.max(from(all, step), 0), all.length - 1)];
    current.classList.add("current");
    (current.querySelector("button") ?? current).focus({ preventScroll: true });
    current.scrollIntoView({ block: current.offsetHeight > innerHeight / 2 ? "start" : "center" });
    count();
  }

  bar.addEventListener("click", (event) => {
    const link = event.target.closest("[data-view]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      choose(link.dataset.view);
    }
    const button = event.target.closest("[data-by]");
    if (button) move(Number(button.dataset.by));
  });

  // The button of a fold goes with it: the focus stays where it was opened.
  document.addEventListener("htmx:load", (event) => {
    if (event.detail.elt.matches?.("tbody, .diff, .diff-fold") && document.activeElement === document.body) {
      (event.detail.elt.querySelector("button") ?? event.detail.elt).focus({ preventScroll: true });
    }
    count();
  });
  document.addEventListener("diff:replaced", count);

  const isNarrow = matchMedia(NARROW).matches && !new URLSearchParams(location.search).has("view");
  show(isNarrow ? "inline" : diff.dataset.view);
  count();
})();
