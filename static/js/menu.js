// The navigation of a narrow window, behind a button.
"use strict";
document.addEventListener("click", (event) => {
  const button = event.target.closest(".menu-button");
  if (!button) return;
  const menu = document.getElementById(button.getAttribute("aria-controls"));
  button.setAttribute("aria-expanded", String(menu.classList.toggle("open")));
});
