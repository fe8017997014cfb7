// A session that goes on: what activity-socket.js tells of brings new calls, and those that ended, into the story.
"use strict";
(() => {
  const SETTLES = 400;
  const LOOK_AGAIN = 2000;
  const story = document.getElementById("story");
  const session = document.getElementById("activity-state").dataset.session;
  let timer;
  let busy = false;
  let again = false;

  function later(wait) {
    clearTimeout(timer);
    timer = setTimeout(look, wait);
  }

  const shown = (part) => document.dispatchEvent(new CustomEvent("session:new", { detail: part }));

  function replace(id, page) {
    const [old, fresh] = [document.getElementById(id), page.getElementById(id)];
    if (old && fresh) old.replaceWith(fresh);
  }

  function addTurn(turn, list) {
    const fresh = turn.querySelector(".call");
    const old = document.getElementById(fresh.id);
    if (!old) {
      list.append(turn);
      shown(turn);
    } else if (old.dataset.state !== fresh.dataset.state) {
      const focused = document.activeElement === old;
      old.replaceWith(fresh);
      if (focused) fresh.focus({ preventScroll: true });
      shown(fresh.parentElement);
    }
  }

  function addTalk(talk) {
    const old = document.getElementById(talk.id);
    if (old) {
      const list = old.querySelector(":scope > .turns");
      for (const turn of [...talk.querySelectorAll(":scope > .turns > .turn")]) addTurn(turn, list);
      old.querySelector(":scope > summary > .badge").textContent = count(list.childElementCount);
    } else {
      const under = talk.dataset.under && document.getElementById(`under-${talk.dataset.under}`);
      (under || story).append(talk);
      shown(talk);
    }
  }

  const count = (calls) => (calls === 1 ? "1 call" : `${calls} calls`);

  const waits = () => story.hasAttribute("data-behind") || story.querySelector("[data-open]");

  async function look() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    again = false;
    try {
      const answer = await fetch(`${story.dataset.changes}?since=${story.dataset.now}`);
      if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      again = true;
    }
    busy = false;
    if (again || waits()) later(LOOK_AGAIN);
  }

  function take(page) {
    const fresh = page.getElementById("fresh");
    if (!fresh) return;
    // Calls whose place in the story is not known yet come with the next look.
    const behind = fresh.hasAttribute("data-behind");
    story.toggleAttribute("data-behind", behind);
    if (!behind) story.dataset.now = fresh.dataset.now;
    replace("session-facts", page);
    replace("session-drawing", page);
    for (const talk of [...fresh.children]) addTalk(talk);
  }

  const news = (event) => event.session === session && event.at >= Number(story.dataset.now);

  document.addEventListener("activity:message", ({ detail }) => {
    if (detail.events.some(news) || detail.missed) later(SETTLES);
  });

  if (waits()) later(LOOK_AGAIN);
})();
