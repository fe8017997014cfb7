// Draws the charts of a page from the table that [data-charts] names: what a chart shows stands there to be read, too.
// A chart's data-columns are the table's columns (the first is time); with data-lines they are lines, else stacked bars.
"use strict";
(() => {
  const height = 160;

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
    const series = shown.map((at) => ({
      label: figures.labels[at],
      stroke: plots.resolved(figures.tones[at]),
      fill: lines ? undefined : plots.resolved(figures.tones[at]),
      width: lines ? 2 : 0,
      points: { show: lines, size: 4 },
      paths: lines ? undefined : uPlot.paths.bars({ size: [0.7, 40] }),
    }));
    const legend = { show: shown.length > 1, live: false };
    return plots.options(width, height, { space: 60, size: 28, values: "{HH}:{mm}" }, { size: 48 }, series, { legend });
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
    let drawn = [];
    plots.keep(group, () => {
      drawn.forEach((plot) => plot.destroy());
      drawn = boxes.map((box) => draw(box, figures));
    });
  }

  document.querySelectorAll("[data-charts]").forEach(drawAll);
})();
