// The page of a call: original alone or beside final (the address says which, so that it can be shared), and folds.
"use strict";
(() => {
  const conversation = document.getElementById("conversation");
  const originalOnly = document.getElementById("original-only");
  const unfold = document.getElementById("unfold");
  const folds = () => [...conversation.querySelectorAll("details")];

  function show(original) {
    conversation.classList.toggle("original-only", original);
    originalOnly.setAttribute("aria-pressed", String(original));
    originalOnly.textContent = original ? "Original and final" : "Original only";
  }

  function name() {
    unfold.textContent = folds().some((fold) => !fold.open) ? "Unfold all" : "Fold all";
  }

  if (originalOnly) {
    originalOnly.addEventListener("click", () => {
      const original = !conversation.classList.contains("original-only");
      show(original);
      history.replaceState(null, "", original ? "#original" : location.pathname + location.search);
    });
    show(location.hash === "#original");
  }

  unfold.addEventListener("click", () => {
    const all = folds();
    const open = all.some((fold) => !fold.open);
    all.forEach((fold) => (fold.open = open));
  });
  conversation.addEventListener("toggle", name, true);
  unfold.hidden = folds().length === 0;
  name();
})();
