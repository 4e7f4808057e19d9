"use strict";
// A form that posts itself when it is shown (hx-trigger="load", data-when-visible) waits until
// somebody can see it: what nobody looked at isn't read.
(() => {
  const waiting = new Set();

  document.addEventListener("htmx:before:request", (event) => {
    const { sourceElement, sourceEvent } = event.detail.ctx;
    if (!document.hidden || sourceEvent?.type !== "load") return;
    if (!sourceElement.matches?.("[data-when-visible]")) return;
    event.preventDefault();
    waiting.add(sourceElement);
  });

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    for (const element of waiting) htmx.process(element, true);
    waiting.clear();
  });
})();
