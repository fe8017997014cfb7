// The search box: its suggestions by keyboard, and what a search brings.
"use strict";
(() => {
  const box = document.getElementById("q");
  const list = document.getElementById("suggestions");

  function foldFacets() {
    // In a narrow window they would stand between the search and what it found.
    const facets = document.querySelector(".facets");
    if (facets && matchMedia("(max-width: 900px)").matches) facets.open = false;
  }

  foldFacets();

  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") list.replaceChildren();
    if (event.key === "ArrowDown") focusSuggestion(event);
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
