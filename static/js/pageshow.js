"use strict";
// A page out of the browser's back-forward cache may be older than the sign-out that followed it, and
// its forms than what was sent: Firefox would fill them in again. A draft comes back by itself.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.forms) form.reset();
  location.reload();
});
