"use strict";
// Everything that helps while writing: a counter near the limit, Ctrl+Enter, Esc.
(() => {
  const NEAR = 250; // characters left when the counter appears

  const count = (textarea) => {
    const counter = textarea.form?.querySelector("[data-counter]");
    const limit = Number(textarea.dataset.limit);
    if (!counter || !limit) return;
    const left = limit - [...textarea.value].length; // code points, as the server counts
    const words = left < 0 ? counter.dataset.over : counter.dataset.left;
    counter.hidden = left > NEAR;
    counter.classList.toggle("counter--over", left < 0);
    counter.textContent = counter.hidden ? "" : words.replace("%d", Math.abs(left));
  };

  document.addEventListener("input", (event) => {
    if (event.target.matches("textarea[data-limit]")) count(event.target);
  });

  document.addEventListener("keydown", (event) => {
    const form = event.target.form;
    if (!form || event.defaultPrevented || event.isComposing || event.keyCode === 229) return; // Safari's
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea")) {
      event.preventDefault();
      form.requestSubmit();
    }
    if (event.key === "Escape") form.querySelector("[data-cancel]")?.click();
  });

  // htmx focuses the first [autofocus] of whatever it swaps in: once is welcome, twice is theft.
  document.addEventListener("focusin", (event) => event.target.removeAttribute("autofocus"));

  document.querySelectorAll("textarea[data-limit]").forEach(count);
  document.addEventListener("htmx:after:swap", () => {
    document.querySelectorAll("textarea[data-limit]").forEach(count);
  });
})();
