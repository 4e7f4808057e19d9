"use strict";
// Firefox breaks off what is under way as soon as the next page is asked for, and shows this one
// until that comes: no connection was lost.
(() => {
  const SOON = 500; // milliseconds
  let leftAt = -Infinity;

  addEventListener("beforeunload", () => {
    leftAt = performance.now();
  });
  document.addEventListener(
    "htmx:error",
    (event) => {
      if (performance.now() - leftAt < SOON) event.stopImmediatePropagation();
    },
    { capture: true }, // before the others hear of it
  );
})();
