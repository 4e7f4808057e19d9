"use strict";
// Times come as UTC and are shown on the reader's clock: the words short, the whole in the title.
// data-format="short" (lists) leaves out what goes without saying.
(() => {
  const page = document.documentElement.lang || "en";
  const locales = [...navigator.languages.filter((tag) => tag.startsWith(page)), page];
  const format = (options) => new Intl.DateTimeFormat(locales, options);
  const clock = format({ timeStyle: "short" });
  const day = format({ day: "numeric", month: "short" });
  const date = format({ day: "numeric", month: "short", year: "numeric" });
  const full = format({ dateStyle: "medium", timeStyle: "short" });
  const whole = format({ dateStyle: "full", timeStyle: "long" });
  const shown = new WeakMap();

  const short = (when) => {
    const now = new Date();
    if (when.toDateString() === now.toDateString()) return clock.format(when);
    return when.getFullYear() === now.getFullYear() ? day.format(when) : date.format(when);
  };

  const localise = () => {
    for (const element of document.querySelectorAll("time[datetime]")) {
      if (shown.get(element) === element.textContent) continue;
      const when = new Date(element.dateTime);
      if (Number.isNaN(when.getTime())) continue;
      element.textContent = element.dataset.format === "short" ? short(when) : full.format(when);
      element.title = whole.format(when);
      shown.set(element, element.textContent);
    }
  };

  localise();
  document.addEventListener("htmx:after:swap", localise);
})();
