// The list of what waits for review: where the focus goes once something was labelled.
"use strict";
(() => {
  const items = () => [...document.querySelectorAll(".review-item")];

  function show(item) {
    item.querySelector("a").focus();
    item.scrollIntoView({ block: "nearest" });
  }

  // What was labelled is swapped for what it became; the focus goes on to the next that waits.
  let place = -1;
  document.addEventListener("htmx:beforeSwap", (event) => {
    place = items().indexOf(event.detail.target);
  });
  document.addEventListener("htmx:afterSwap", () => {
    const all = items();
    const labelled = all[place];
    if (!labelled) return;
    show(labelled.classList.contains("done") ? (all.slice(place + 1).find((each) => !each.classList.contains("done")) ?? labelled) : labelled);
    place = -1;
  });
})();
