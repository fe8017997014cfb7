// The search box and the list of calls by keyboard: / search, j and k next and previous call, ? help. Enter opens what has the focus.
"use strict";
(() => {
  const box = document.getElementById("q");
  const help = document.getElementById("search-help");
  const list = document.getElementById("suggestions");
  const links = () => [...document.querySelectorAll("#found .rows tbody tr td:first-child a")];

  function foldFacets() {
    // In a narrow window they would stand between the search and what it found.
    const facets = document.querySelector(".facets");
    if (facets && matchMedia("(max-width: 900px)").matches) facets.open = false;
  }

  function move(step) {
    const all = links();
    const at = all.indexOf(document.activeElement);
    const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)];
    if (next) next.focus();
  }

  function search() {
    box.focus();
    box.select();
  }

  function showHelp() {
    help.open = !help.open;
    if (help.open) help.querySelector("summary").focus();
  }

  foldFacets();

  const keys = { j: () => move(1), k: () => move(-1), "/": search, "?": showHelp };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target === box) list.replaceChildren();
    if (event.key === "ArrowDown" && event.target === box) focusSuggestion(event);
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  function focusSuggestion(event) {
    const first = list.querySelector("button");
    if (!first) return;
    event.preventDefault();
    first.focus();
  }

  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = [...list.querySelectorAll("button")];
    (buttons[buttons.indexOf(document.activeElement) + step] || box).focus();
  });

  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    box.value = button.dataset.query;
    box.focus();
    list.replaceChildren();
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    // A search that cannot be read answers 400 and says on the page why.
    if (event.detail.target.id === "found" && event.detail.xhr.status === 400) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "found") return;
    list.replaceChildren();
    foldFacets();
    box.value = new URLSearchParams(location.search).get("q") || "";
  });
})();
