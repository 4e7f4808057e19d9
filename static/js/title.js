"use strict";
// The tab's title starts with the unread number of the navigation, whichever answer changed it.
(() => {
  document.addEventListener("htmx:after:swap", () => {
    // A moment later: htmx sets the title of an answer after this event.
    queueMicrotask(() => {
      const badge = document.getElementById("nav-unread");
      if (!badge) return;
      const unread = badge.hidden ? "" : parseInt(badge.textContent, 10);
      const bare = document.title.replace(/^\s*\(\d+\)\s*/, "");
      const title = unread ? `(${unread}) ${bare}` : bare;
      if (document.title !== title) document.title = title;
    });
  });
})();
