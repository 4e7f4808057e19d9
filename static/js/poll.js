"use strict";
// How often a [data-poll] element asks: never in a hidden tab, less and less while nothing
// changes, less still while the server fails or finds it too often (and then not before it says),
// and not at all once signed out, or once what it shows has gone.
(() => {
  const SECOND = 1000;
  const PACES = [
    // [quiet for at least, ask every]
    [10 * 60 * SECOND, 30 * SECOND],
    [3 * 60 * SECOND, 20 * SECOND],
    [60 * SECOND, 10 * SECOND],
    [0, 5 * SECOND],
  ];
  const SLOWEST_RETRY = 60 * SECOND;
  const SLACK = SECOND; // ticks come a little early or late

  const polls = new Map(); // by id: a swap may replace the element
  let lastTouched = Date.now();
  let isSignedOut = false;

  const isTick = (ctx) => ["every", "visibilitychange"].includes(ctx.sourceEvent?.type);
  const pollOf = (ctx) => {
    const id = ctx.sourceElement?.closest?.("[data-poll]")?.id;
    if (!id || !isTick(ctx)) return null;
    if (!polls.has(id)) {
      polls.set(id, { askedAt: 0, changedAt: Date.now(), failures: 0, restsUntil: 0 });
    }
    return polls.get(id);
  };

  const paceOf = (poll) => {
    if (poll.failures) return Math.min(5 * SECOND * 2 ** poll.failures, SLOWEST_RETRY);
    const quiet = Date.now() - Math.max(poll.changedAt, lastTouched);
    return PACES.find(([since]) => quiet >= since)[1];
  };

  const showOffline = (isOffline) => {
    const banner = document.getElementById("offline");
    if (!banner || banner.hidden !== isOffline) return;
    banner.hidden = !isOffline;
    if (isOffline) return;
    const detail = { text: document.getElementById("toasts").dataset.back };
    document.dispatchEvent(new CustomEvent("parley:toast", { detail }));
  };

  document.addEventListener("htmx:before:request", (event) => {
    const { ctx } = event.detail;
    const poll = pollOf(ctx);
    if (!poll) return;
    const isTooEarly =
      ctx.sourceEvent.type === "every" && Date.now() - poll.askedAt < paceOf(poll) - SLACK;
    const isResting = Date.now() < poll.restsUntil;
    const isInSight = ctx.sourceElement.checkVisibility(); // a phone shows one pane at a time
    const isOver = isSignedOut || "gone" in ctx.sourceElement.dataset;
    if (document.hidden || !isInSight || isOver || isTooEarly || isResting) event.preventDefault();
    else poll.askedAt = Date.now();
  });

  // Nobody reads on where nothing is left; but what they were writing stays.
  const end = (list) => {
    list.dataset.gone = "";
    list.replaceChildren(...list.querySelectorAll("form:has(textarea)"));
  };

  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    const { status } = ctx.response;
    const isFailure = status >= 500;
    if (status === 401) isSignedOut = true;
    showOffline(isFailure || !navigator.onLine); // an answer may have been under way
    const poll = pollOf(ctx);
    if (!poll) return;
    const isRefused = isFailure || status === 429;
    poll.failures = isRefused ? poll.failures + 1 : 0;
    if (isRefused) {
      const wait = Number(ctx.response.headers.get("Retry-After")) || 0;
      poll.restsUntil = Date.now() + wait * SECOND;
    }
    if (status === 200) poll.changedAt = Date.now();
    if (!ctx.sourceElement.isConnected) return;
    if (status === 404) end(ctx.sourceElement);
    const moved = ctx.response.headers.get("HX-Replace-Url"); // of the message that the list is opened at
    if (moved) history.replaceState(history.state, "", moved);
  });

  document.addEventListener("htmx:error", (event) => {
    const { ctx } = event.detail;
    if (!ctx || ctx.response) return; // it was answered: not a matter of reaching the server
    showOffline(true);
    const poll = pollOf(ctx);
    if (poll) poll.failures += 1;
  });

  const askSoon = () => {
    lastTouched = Date.now();
  };
  for (const type of ["pointerdown", "keydown"]) {
    document.addEventListener(type, askSoon, { passive: true });
  }
  window.addEventListener("offline", () => showOffline(true));
  window.addEventListener("online", () => {
    for (const poll of polls.values()) poll.failures = 0;
    askSoon();
    if (!document.querySelector("[data-poll]")) showOffline(false);
    document.dispatchEvent(new Event("visibilitychange")); // as if the tab were shown again
  });
})();
