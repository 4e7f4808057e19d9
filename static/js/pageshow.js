"use strict";
// A page out of the browser's back-forward cache may be older than the sign-out that followed it.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
