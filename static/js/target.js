"use strict";
// A permalink opens at its message: bring that one into sight, unless the address says where.
(() => {
  const target = document.querySelector(".message--target");
  if (!target || location.hash || performance.getEntriesByType("navigation")[0]?.type === "reload") return;
  const { top, bottom } = target.getBoundingClientRect();
  if (top < 0 || bottom > innerHeight) target.scrollIntoView({ block: "center" });
})();
