// The navigation of a narrow window, behind a button, and the menu within it.
"use strict";
(() => {
  const controlled = (button) => document.getElementById(button.getAttribute("aria-controls"));
  const disclosures = () => document.querySelectorAll(".disclosure[aria-expanded=true]");

  function set(button, open) {
    controlled(button).classList.toggle("open", open);
    button.setAttribute("aria-expanded", String(open));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".menu-button, .disclosure");
    disclosures().forEach((each) => each !== button && !controlled(each).contains(event.target) && set(each, false));
    if (button) set(button, button.getAttribute("aria-expanded") !== "true");
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    disclosures().forEach((button) => {
      if (controlled(button).contains(document.activeElement)) button.focus();
      set(button, false);
    });
  });

  // Whoever tabs on has left the menu.
  document.addEventListener("focusin", (event) => {
    disclosures().forEach((button) => event.target !== button && !controlled(button).contains(event.target) && set(button, false));
  });
})();
