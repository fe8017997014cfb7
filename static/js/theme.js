// Light, dark, or as the system says. Runs in the head, so that no page flashes in the wrong colours.
"use strict";
(() => {
  const root = document.documentElement;
  const next = { auto: "dark", dark: "light", light: "auto" };

  function stored() {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage may be switched off
    }
  }

  function apply(theme) {
    root.dataset.theme = theme in next ? theme : "auto";
  }

  root.classList.add("js");
  apply(stored() ?? "auto");

  addEventListener("storage", (event) => event.key === "theme" && apply(event.newValue ?? "auto"));
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".theme-button")) return;
    apply(next[root.dataset.theme]);
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // it lasts for this page then
    }
  });
})();
