"use strict";
// With a worker that knows the page for no connection, a browser lets Parley be installed.
if ("serviceWorker" in navigator && window.isSecureContext) {
  window.addEventListener("load", () => navigator.serviceWorker.register("/worker.js").catch(() => {}));
}
