// Live activity: counts since the page was opened, and calls a second over the last two minutes.
"use strict";
(() => {
  const SECONDS = 2;
  const BARS = 60;
  const HEIGHT = 96;
  const box = document.getElementById("activity-chart");
  const caption = document.getElementById("activity-rate");
  const counts = { calls: 0, changed: 0, blocked: 0, failed: 0 };
  const bars = new Map();
  let opened = null;
  let ahead = 0;
  let plot;

  function resolved(tone) {
    const probe = document.createElement("span");
    probe.style.color = `var(--${tone})`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  }

  function named(event) {
    if (event.kind === "request_received") return "calls";
    if (event.kind === "finished") return ["finished", "blocked", "refused", "cancelled"].includes(event.outcome) ? null : "failed";
    if (event.kind !== "verdict" || event.mode === "shadow") return null;
    return { replace: "changed", block: "blocked", stop: "blocked", refuse: "blocked" }[event.verdict] ?? null;
  }

  function count(event) {
    if (event.kind === "request_received") {
      const bar = Math.floor(event.at / 1e6 / SECONDS);
      bars.set(bar, (bars.get(bar) ?? 0) + 1);
    }
    const name = event.at >= opened && named(event);
    if (name) counts[name] += 1;
  }

  function data() {
    const last = Math.floor((Date.now() / 1000 + ahead) / SECONDS);
    for (const bar of bars.keys()) if (bar <= last - BARS) bars.delete(bar);
    const times = Array.from({ length: BARS }, (_, at) => last - BARS + 1 + at);
    return [times.map((bar) => bar * SECONDS), times.map((bar) => (bars.get(bar) ?? 0) / SECONDS)];
  }

  function draw() {
    plot?.destroy();
    const axis = { stroke: resolved("ink-soft"), grid: { stroke: resolved("line"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
    plot = new uPlot({
      width: box.clientWidth,
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { show: false },
      legend: { show: false },
      scales: { y: { range: (_, low, high) => [0, Math.max(high ?? 0, 1) * 1.05] } },
      axes: [{ ...axis, space: 80, size: 24, values: "{HH}:{mm}:{ss}" }, { ...axis, size: 36 }],
      series: [{}, { stroke: resolved("accent"), fill: resolved("accent"), width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.8, 20] }) }],
    }, data(), box);
  }

  function refresh() {
    const now = data();
    plot.setData(now);
    const calls = now[1].reduce((sum, rate) => sum + rate * SECONDS, 0);
    caption.textContent = `Calls in the last two minutes: ${calls || "none"}, ${(calls / SECONDS / BARS).toFixed(1)} a second`;
    for (const [name, value] of Object.entries(counts)) document.querySelector(`[data-count="${name}"]`).textContent = value;
  }

  document.addEventListener("activity:message", ({ detail }) => {
    if (opened === null) {
      opened = Number(detail.cursor.split("-")[0]);
      ahead = opened / 1e6 - Date.now() / 1000;
    }
    if (detail.recent) bars.clear();
    detail.events.forEach(count);
    refresh();
  });

  draw();
  setInterval(refresh, SECONDS * 1000);
  let width = box.clientWidth;
  new ResizeObserver(() => {
    if (box.clientWidth === width) return;
    width = box.clientWidth;
    draw();
  }).observe(box);
  // Colours are drawn, not styled: a change of theme draws anew.
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
