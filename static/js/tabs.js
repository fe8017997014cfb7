// Makes tabs of the sections in every .tabs: their headings become the labels. Arrow keys move, as in any tab list.
"use strict";
(() => {
  function build(tabs, number) {
    const sections = [...tabs.querySelectorAll(":scope > section")];
    const list = document.createElement("div");
    list.className = "tab-list";
    list.setAttribute("role", "tablist");
    list.setAttribute("aria-label", tabs.dataset.label);
    const buttons = sections.map((section, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.id = `tab-${number}-${index}`;
      button.textContent = section.querySelector("h3").textContent;
      button.setAttribute("role", "tab");
      button.setAttribute("aria-controls", section.id);
      section.setAttribute("role", "tabpanel");
      section.setAttribute("aria-labelledby", button.id);
      list.append(button);
      return button;
    });

    function show(chosen) {
      buttons.forEach((button, index) => {
        button.setAttribute("aria-selected", String(index === chosen));
        button.tabIndex = index === chosen ? 0 : -1;
        sections[index].hidden = index !== chosen;
      });
    }

    list.addEventListener("click", (event) => {
      const index = buttons.indexOf(event.target);
      if (index >= 0) show(index);
    });
    list.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const index = (buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length;
      show(index);
      buttons[index].focus();
    });
    tabs.prepend(list);
    tabs.classList.add("ready");
    show(0);
  }

  document.querySelectorAll(".tabs").forEach(build);
})();
