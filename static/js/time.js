"use strict";
// Times come as UTC and are shown on the reader's clock: "10:42", "Yesterday", "12 May"; the whole
// in the title. data-format="short" (lists) leaves out the hour of what isn't of today.
(() => {
  const DAY = 24 * 60 * 60 * 1000;
  const page = document.documentElement.lang || "en";
  const locales = [...navigator.languages.filter((tag) => tag.startsWith(page)), page];
  const format = (options) => new Intl.DateTimeFormat(locales, options);
  const clock = format({ timeStyle: "short" });
  const date = { day: "numeric", month: "short" };
  const hour = { hour: "numeric", minute: "2-digit" };
  const thisYear = { short: format(date), long: format({ ...date, ...hour }) };
  const longAgo = {
    short: format({ ...date, year: "numeric" }),
    long: format({ ...date, year: "numeric", ...hour }),
  };
  const whole = format({ dateStyle: "full", timeStyle: "long" });
  const [first, ...rest] = new Intl.RelativeTimeFormat(locales, { numeric: "auto" }).format(-1, "day");
  const yesterday = first.toLocaleUpperCase(page) + rest.join("");
  let shown = new WeakMap();
  let today = "";

  const midnight = (when) => new Date(when.getFullYear(), when.getMonth(), when.getDate());

  const words = (when, length) => {
    const now = new Date();
    // Days between two midnights: one of them may have had 23 hours.
    const days = Math.round((midnight(now) - midnight(when)) / DAY);
    if (days === 0) return clock.format(when);
    if (days === 1) return length === "short" ? yesterday : `${yesterday} ${clock.format(when)}`;
    const isThisYear = when.getFullYear() === now.getFullYear();
    return (isThisYear ? thisYear : longAgo)[length].format(when);
  };

  const localise = () => {
    if (today !== new Date().toDateString()) shown = new WeakMap(); // "Yesterday" is of a day
    today = new Date().toDateString();
    for (const element of document.querySelectorAll("time[datetime]")) {
      if (shown.get(element) === element.textContent) continue;
      const when = new Date(element.dateTime);
      if (Number.isNaN(when.getTime())) continue;
      element.textContent = words(when, element.dataset.format ?? "long");
      element.title = whole.format(when);
      shown.set(element, element.textContent);
    }
  };

  localise();
  document.addEventListener("htmx:after:swap", localise);
  document.addEventListener("visibilitychange", localise);
})();
