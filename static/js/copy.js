// A button with data-copy="ID" copies the text of that element, and says so.
"use strict";
(() => {
  function select(element) {
    const range = document.createRange();
    range.selectNodeContents(element);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  }

  async function copy(element) {
    if (navigator.clipboard) return navigator.clipboard.writeText(element.textContent);
    // Browsers offer the clipboard only on https and localhost; the old way works elsewhere.
    select(element);
    if (!document.execCommand("copy")) throw new Error("the browser refused");
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    const label = (button.dataset.label ??= button.textContent);
    try {
      await copy(source);
      button.textContent = "Copied";
    } catch {
      select(source);
      button.textContent = "Press Ctrl+C";
    }
    setTimeout(() => (button.textContent = label), 2000);
  });
})();
