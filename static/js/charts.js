// Draws the charts of a page from the table that [data-charts] names: what a chart shows stands there to be read, too.
// A chart's data-columns are the table's columns (the first is time); with data-lines they are lines, else stacked bars.
"use strict";
(() => {
  const height = 160;

  // A canvas knows neither variables nor light-dark(); an element's style resolves both.
  function resolved(tone) {
    const probe = document.createElement("span");
    probe.style.color = `var(--${tone})`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  }

  function read(table) {
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies[0].rows];
    const number = (cell) => (cell.textContent === "" ? null : Number(cell.textContent));
    return {
      labels: heads.map((head) => head.textContent),
      tones: heads.map((head) => head.dataset.tone),
      columns: heads.map((_, at) => rows.map((row) => (at ? number(row.cells[at]) : Number(row.cells[0].dataset.value)))),
    };
  }

  // Each series on top of those before it; drawn from the highest down.
  function stacked(columns) {
    const sums = columns[0].map(() => 0);
    return columns.map((column) => column.map((value, at) => (sums[at] += value ?? 0)));
  }

  function options(width, figures, shown, lines) {
    const axis = { stroke: resolved("ink-soft"), grid: { stroke: resolved("line"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
    const series = shown.map((at) => ({
      label: figures.labels[at],
      stroke: resolved(figures.tones[at]),
      fill: lines ? undefined : resolved(figures.tones[at]),
      width: lines ? 2 : 0,
      points: { show: lines, size: 4 },
      paths: lines ? undefined : uPlot.paths.bars({ size: [0.7, 40] }),
    }));
    const utc = (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC");
    return {
      width,
      height,
      tzDate: utc,
      cursor: { show: false },
      legend: { show: shown.length > 1, live: false },
      scales: { y: { range: (_, low, high) => [0, Math.max(high ?? 0, 1) * 1.05] } },
      axes: [{ ...axis, space: 60, size: 28, values: "{HH}:{mm}" }, { ...axis, size: 48 }],
      series: [{}, ...series],
    };
  }

  function draw(box, figures) {
    const lines = "lines" in box.dataset;
    const columns = box.dataset.columns.split(" ").map(Number);
    const values = columns.map((at) => figures.columns[at]);
    const shown = lines ? columns : [...columns].reverse();
    const data = lines ? values : stacked(values).reverse();
    return new uPlot(options(box.clientWidth, figures, shown, lines), [figures.columns[0], ...data], box);
  }

  function drawAll(group) {
    const figures = read(document.getElementById(group.dataset.charts));
    const boxes = [...group.querySelectorAll(".chart")];
    let plots = [];
    const redraw = () => {
      plots.forEach((plot) => plot.destroy());
      plots = boxes.map((box) => draw(box, figures));
    };
    redraw();
    let width = group.clientWidth;
    new ResizeObserver(() => {
      if (group.clientWidth === width) return;
      width = group.clientWidth;
      redraw();
    }).observe(group);
    // Colours are drawn, not styled: a change of theme draws anew.
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  }

  document.querySelectorAll("[data-charts]").forEach(drawAll);
})();
