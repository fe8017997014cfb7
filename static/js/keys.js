// The keys of every page, as its markup names them. j and k step through [data-step], ? tells them all, and any other
// key acts on the element that has it among its data-key: a field gets the focus, anything else is clicked. Where
// several have it, it is the one in the [data-keys] that has the focus, else the first that is not in [data-keys=done].
// What is folded away is unfolded. The help says an element's data-key-label, or its text.
"use strict";
(() => {
  const shown = (selector) => [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility());
  const keyed = () => [...document.querySelectorAll("[data-key]")].filter((element) => element.checkVisibility() || foldsOver(element).some((fold) => fold.checkVisibility()));
  let at = null;

  function foldsOver(element) {
    const closed = [...document.querySelectorAll("details:not([open])")];
    return closed.filter((fold) => fold.contains(element) && element.closest("summary")?.parentElement !== fold);
  }

  function step(by) {
    const all = shown("[data-step]");
    const from = all.indexOf(document.activeElement.closest("[data-step]") ?? at);
    const next = all[from < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(from + by, 0), all.length - 1)];
    if (!next) return;
    at = next;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: next.offsetHeight > innerHeight / 2 ? "start" : "nearest" });
  }

  function named(key) {
    const all = keyed().filter((element) => element.dataset.key.split(" ").includes(key));
    const here = document.activeElement.closest("[data-keys]");
    return all.find((element) => here?.contains(element)) ?? all.find((element) => !element.closest("[data-keys=done]"));
  }

  function act(element) {
    foldsOver(element).forEach((fold) => (fold.open = true));
    if (!element.matches("input, textarea, select")) return element.click();
    element.focus();
    element.select?.();
  }

  function entries() {
    const first = shown("[data-step]")[0];
    const what = first?.dataset.step || "entry";
    const stepping = first ? [["j", `Next ${what}`], ["k", `Previous ${what}`]] : [];
    if (first?.matches("a")) stepping.push(["Enter", `Open the ${what}`]);
    // An entry of a list has the keys that the others have.
    const own = new Map(keyed().map((element) => [element.dataset.key, element.dataset.keyLabel || element.textContent.trim()]));
    return [...stepping, ...own, ["?", "These keys"], ["Esc", "Close this"]];
  }

  function help() {
    const dialog = document.createElement("dialog");
    dialog.className = "keys-help";
    dialog.setAttribute("aria-label", "Keys of this page");
    const list = document.createElement("dl");
    for (const [key, meaning] of entries()) {
      const line = document.createElement("div");
      line.append(document.createElement("dt"), document.createElement("dd"));
      for (const each of key.split(" ")) {
        const sign = document.createElement("kbd");
        sign.textContent = each;
        line.firstChild.append(sign, " ");
      }
      line.lastChild.textContent = meaning;
      list.append(line);
    }
    const close = document.createElement("button");
    close.type = "button";
    close.className = "button";
    close.textContent = "Close";
    close.addEventListener("click", () => dialog.close());
    dialog.append(list, close);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  document.addEventListener("keydown", (event) => {
    // A dialog that Escape closed has the focus for a moment more: what is typed then is for the page.
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog[open], [contenteditable]")) return;
    const keys = { j: () => step(1), k: () => step(-1), "?": help };
    const element = named(event.key);
    if (!element && !keys[event.key]) return;
    event.preventDefault();
    if (element) act(element);
    else keys[event.key]();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys-help]")) help();
  });
})();
