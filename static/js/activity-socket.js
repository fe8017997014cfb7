// Live activity: the websocket. It comes back by itself and goes on where it stood; what comes twice is passed on once.
// "activity:leave" ends it.
"use strict";
(() => {
  const PATIENCE = 40_000;
  const REMEMBERED = 20_000;
  const WAITS = [500, 1000, 2000, 5000];
  const NOT_ALLOWED = 4403;
  const state = document.getElementById("activity-state");
  const known = new Set();
  // A page of one session or call watches that one; the others are told in their address what to watch.
  const own = { ...state.dataset };
  let filter = Object.keys(own).length ? own : Object.fromEntries(new URLSearchParams(location.search));
  let isOver = false;
  let cursor = "";
  let socket;
  let failures = 0;
  let watchdog;

  function say(words, tone) {
    if (state.textContent === words) return;
    state.textContent = words;
    state.className = `badge tone-${tone}`;
  }

  const isNew = (event) => !known.has(event.id) && Boolean(known.add(event.id));

  function forget() {
    for (const id of known) {
      if (known.size <= REMEMBERED) return;
      known.delete(id);
    }
  }

  function take(data) {
    const message = JSON.parse(data);
    cursor = message.cursor;
    failures = 0;
    say("Live", "allowed");
    if (message.recent) known.clear();
    message.events = message.events.filter(isNew);
    forget();
    document.dispatchEvent(new CustomEvent("activity:message", { detail: message }));
  }

  // Also a connection that is open and says nothing is a broken one.
  function watch() {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => socket.close(), PATIENCE);
  }

  function connect() {
    const query = new URLSearchParams(filter);
    if (cursor) query.set("cursor", cursor);
    const mine = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/activity/?${query}`);
    const asked = filter;
    socket = mine;
    watch();
    mine.addEventListener("open", () => {
      if (asked !== filter) mine.send(JSON.stringify({ filter }));
    });
    mine.addEventListener("message", (event) => {
      watch();
      take(event.data);
    });
    mine.addEventListener("close", (event) => {
      clearTimeout(watchdog);
      if (isOver) return;
      if (event.code === NOT_ALLOWED) {
        say("Ended: you may no longer see this. Load the page again.", "blocked");
        return;
      }
      say("Interrupted, trying again", "failed");
      setTimeout(connect, WAITS[Math.min(failures++, WAITS.length - 1)]);
    });
  }

  document.addEventListener("activity:filter", ({ detail }) => {
    filter = detail;
    // The next connection begins anew too, should this one not hear of it.
    cursor = "";
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ filter }));
  });

  document.addEventListener("activity:leave", () => {
    isOver = true;
    socket.close();
  });

  connect();
})();
