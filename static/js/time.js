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
  const day = format({ weekday: "long", day: "numeric", month: "long" });
  const dayLongAgo = format({ dateStyle: "long" });
  const whole = format({ dateStyle: "full", timeStyle: "long" });
  const relative = (days) => {
    const [first, ...rest] = new Intl.RelativeTimeFormat(locales, { numeric: "auto" }).format(-days, "day");
    return first.toLocaleUpperCase(page) + rest.join("");
  };
  const yesterday = relative(1);
  let shown = new WeakMap();
  let today = "";

  const midnight = (when) => new Date(when.getFullYear(), when.getMonth(), when.getDate());

  const words = (when, length) => {
    const now = new Date();
    // Days between two midnights: one of them may have had 23 hours.
    const days = Math.round((midnight(now) - midnight(when)) / DAY);
    if (length === "day") return dayWords(when, days, now);
    if (days === 0) return clock.format(when);
    if (days === 1) return length === "short" ? yesterday : `${yesterday} ${clock.format(when)}`;
    const isThisYear = when.getFullYear() === now.getFullYear();
    return (isThisYear ? thisYear : longAgo)[length].format(when);
  };

  const dayWords = (when, days, now) => {
    if (days === 0 || days === 1) return relative(days);
    return (when.getFullYear() === now.getFullYear() ? day : dayLongAgo).format(when);
  };

  // A list tells each day once: the first line of a day on the reader's calendar says it.
  const separateDays = () => {
    let last = "";
    for (const line of document.querySelectorAll(".conversation__day")) {
      const own = new Date(line.firstElementChild.dateTime).toDateString();
      line.hidden = own === last;
      last = own;
    }
  };

  const localise = () => {
    separateDays();
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
