// Marks words that differ within the lines of a change. A worker compares them, so that no page waits for long lines;
// until it has, and where it cannot, the marks of the server stand.
"use strict";
(() => {
  const AT_ONCE = 50;
  const LONG = 600;
  const KEPT = 160;
  const diff = document.getElementById("diff");
  const waiting = new Map();
  let worker;
  let next = 0;

  const words = (row) => [...row.querySelectorAll(".inside")];

  function begin() {
    worker = new Worker(diff.dataset.worker);
    worker.addEventListener("message", ({ data }) => data.forEach(mark));
    worker.addEventListener("error", () => waiting.clear());
    worker.postMessage({ library: diff.dataset.library });
  }

  // Long stretches that both sides have are folded between changes, too.
  function shared(text) {
    if (text.length <= LONG) return [document.createTextNode(text)];
    const fold = document.createElement("button");
    const hidden = text.slice(KEPT, -KEPT);
    fold.type = "button";
    fold.className = "cut";
    fold.textContent = `${hidden.length.toLocaleString("en")} characters`;
    fold.addEventListener("click", () => fold.replaceWith(hidden));
    return [document.createTextNode(text.slice(0, KEPT)), fold, document.createTextNode(text.slice(-KEPT))];
  }

  function changed(text, kind) {
    const element = document.createElement(kind);
    element.textContent = text;
    return [element];
  }

  // `parts` are [text, mark] in order; the mark is "del", "ins", or empty for what both sides have.
  function mark({ id, parts }) {
    const sides = waiting.get(id);
    waiting.delete(id);
    if (!parts) return;
    for (const [side, own] of [[sides[0], "del"], [sides[1], "ins"]]) {
      const mine = parts.filter(([, kind]) => !kind || kind === own);
      side.replaceChildren(...mine.flatMap(([text, kind]) => (kind ? changed(text, kind) : shared(text))));
    }
  }

  function ask() {
    const pairs = [];
    for (const row of diff.querySelectorAll("tr.pair:not([data-asked])")) {
      row.dataset.asked = "";
      const sides = words(row);
      if (sides.length !== 2) continue;
      waiting.set(++next, sides);
      pairs.push({ id: next, left: sides[0].textContent, right: sides[1].textContent });
    }
    if (!pairs.length) return;
    if (!worker) begin();
    for (let at = 0; at < pairs.length; at += AT_ONCE) worker.postMessage({ pairs: pairs.slice(at, at + AT_ONCE) });
  }

  document.addEventListener("htmx:load", ask);
  document.addEventListener("diff:replaced", ask);
  ask();
})();
