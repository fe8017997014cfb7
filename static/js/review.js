// The list of what waits for review by keyboard: j and k next and previous, 1 to 4 label, u take back, / filter. Enter opens the call.
"use strict";
(() => {
  const filter = document.getElementById("q");
  const items = () => [...document.querySelectorAll(".review-item")];
  const current = () => document.activeElement.closest(".review-item");

  function show(item) {
    if (!item) return;
    item.querySelector("a").focus();
    item.scrollIntoView({ block: "nearest" });
  }

  function move(step) {
    const all = items();
    const at = all.indexOf(current());
    show(all[at < 0 ? 0 : Math.min(Math.max(at + step, 0), all.length - 1)]);
  }

  function press(selector) {
    const item = current() ?? items().find((each) => !each.classList.contains("done"));
    item?.querySelector(selector)?.click();
  }

  const keys = {
    j: () => move(1),
    k: () => move(-1),
    u: () => press(".labels button[value='']"),
    "/": () => filter.select(),
  };
  for (const key of ["1", "2", "3", "4"]) keys[key] = () => press(`.labels button:nth-of-type(${key})`);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  // What was labelled is swapped for what it became; the focus goes on to the next that waits.
  let place = -1;
  document.addEventListener("htmx:beforeSwap", (event) => {
    place = items().indexOf(event.detail.target);
  });
  document.addEventListener("htmx:afterSettle", () => {
    const all = items();
    const labelled = all[place];
    if (!labelled) return;
    show(labelled.classList.contains("done") ? (all.slice(place + 1).find((each) => !each.classList.contains("done")) ?? labelled) : labelled);
    place = -1;
  });
})();
