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
    const accent = plots.resolved("accent");
    const bar = { stroke: accent, fill: accent, width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.8, 20] }) };
    plot = new uPlot(plots.options(box.clientWidth, HEIGHT, { space: 80, size: 24, values: "{HH}:{mm}:{ss}" }, { size: 36 }, [bar]), data(), box);
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

  plots.keep(box, draw);
  setInterval(refresh, SECONDS * 1000);
})();
