"use strict";
// On a wide screen a thread opens beside the list, which stays as it is: its scroll, its polling.
// The address is the thread's all the same, and leads there again, back and forth.
(() => {
  const wide = matchMedia("(min-width: 62.5rem)"); // as layout.css has it
  const list = document.querySelector(".panes__list");
  const pane = document.getElementById("pane");
  if (!list || !pane) return;

  const address = () => location.pathname + location.search;
  let shown; // the address of what is in the pane, or on its way there
  const mark = () => {
    shown = address();
    const open = pane.querySelector("[data-thread]")?.dataset.thread;
    for (const link of list.querySelectorAll("[data-thread]")) {
      if (link.dataset.thread === open) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };

  let wanted = ""; // the address that was asked for last
  let status = 0;
  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    if (ctx.sourceElement === pane) status = ctx.response.status;
  });
  const show = async (url, { isNew }) => {
    wanted = url;
    status = 0;
    pane.setAttribute("aria-busy", "true");
    await htmx.ajax("GET", url, { source: pane, target: pane, swap: "innerHTML" });
    if (wanted !== url) return;
    pane.removeAttribute("aria-busy");
    if (!status) return; // not reached: the page says so
    if (status !== 200) return location.assign(url); // whatever it is, it has a page of its own
    if (isNew) history.pushState({}, "", url);
    mark();
    arrive();
  };

  const arrive = () => {
    const target = pane.querySelector(".message--target");
    scrollTo(0, 0);
    if (target?.getBoundingClientRect().bottom > innerHeight) target.scrollIntoView({ block: "center" });
    pane.querySelector("h1")?.focus({ preventScroll: true });
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(".thread-row__link");
    const isPlain = !event.button && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain || event.defaultPrevented || !wide.matches) return;
    event.preventDefault();
    show(link.href, { isNew: link.href !== location.href });
  });

  window.addEventListener("popstate", () => {
    if (address() === shown) return; // a jump within the page
    shown = address();
    if (wide.matches) show(location.href, { isNew: false });
    else location.reload();
  });

  // Another page with the list beside it begins where this one's list was left.
  const KEY = `list:${document.body.dataset.person}`;
  const place = () => `${list.querySelector(".tabs [aria-current]")?.search}`;
  const [savedPlace, top] = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
  if (savedPlace === place()) list.scrollTop = top;
  window.addEventListener("pagehide", () => {
    sessionStorage.setItem(KEY, JSON.stringify([place(), list.scrollTop]));
  });

  document.addEventListener("htmx:after:swap", mark);
  mark();
  const current = list.querySelector(".thread-row__link[aria-current]");
  const { top: from, bottom: to } = list.getBoundingClientRect();
  const at = current?.getBoundingClientRect();
  if (at && (at.top < from || at.bottom > to)) list.scrollTop += at.top - from - (to - from) / 2;
})();
