// What all charts have in common: the colours of the page, their axes, and when they are drawn anew.
"use strict";
const plots = (() => {
  // A canvas knows neither variables nor light-dark(); an element's style resolves both.
  function resolved(tone) {
    const probe = document.createElement("span");
    probe.style.color = `var(--${tone})`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  }

  // Options of uPlot for series over time (UTC), the axis of values beginning at 0. `times` and `values` say what is
  // particular to the axes, `rest` to the chart.
  function options(width, height, times, values, series, rest = {}) {
    const axis = { stroke: resolved("ink-soft"), grid: { stroke: resolved("line"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
    return {
      width,
      height,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { show: false },
      legend: { show: false },
      scales: { y: { range: (_, low, high) => [0, Math.max(high ?? 0, 1) * 1.05] } },
      axes: [{ ...axis, ...times }, { ...axis, ...values }],
      series: [{}, ...series],
      ...rest,
    };
  }

  // Colours and widths are drawn, not styled: a change of the theme, or of the width of `box`, draws anew.
  function keep(box, draw) {
    draw();
    let width = box.clientWidth;
    new ResizeObserver(() => {
      if (box.clientWidth === width) return;
      width = box.clientWidth;
      draw();
    }).observe(box);
    new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  }

  return { resolved, options, keep };
})();
