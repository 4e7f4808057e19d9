"use strict";
// A list whose newest line comes last ([data-newest-last]) is opened at its end, and stays there
// when a line arrives, unless the reader has scrolled away.
(() => {
  const NEAR = 120; // pixels
  const page = document.scrollingElement;
  const list = () => document.querySelector("[data-newest-last]");
  const isAtEnd = () => page.scrollHeight - page.scrollTop - page.clientHeight < NEAR;
  const goToEnd = () => {
    page.scrollTop = page.scrollHeight;
  };
  let wasAtEnd = false;

  if (list() && !location.hash) goToEnd();
  document.addEventListener("htmx:before:swap", () => {
    wasAtEnd = Boolean(list()) && isAtEnd();
  });
  document.addEventListener("htmx:after:swap", () => {
    if (wasAtEnd && !document.activeElement?.matches("textarea")) goToEnd();
  });
})();
