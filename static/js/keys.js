"use strict";
// Keys for those who like them; `?` shows them all, and they can be switched off there. None is
// taken while somebody types, holds Ctrl, Alt or Meta, or has a dialog or a popover open.
(() => {
  const help = document.getElementById("keys");
  if (!help) return;
  const switchedOn = help.querySelector("[name=keys]");
  const LINES = ".message, .thread-row__link, .notification__link";
  let isGoing = false; // after `g`: the next key says where

  switchedOn.checked = localStorage.getItem("keys") !== "off";
  switchedOn.addEventListener("change", () => {
    localStorage.setItem("keys", switchedOn.checked ? "on" : "off");
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-opens=keys]")) help.showModal();
  });

  // Of a list beside a thread, the thread: the list is where Esc leads.
  const lines = () => {
    const all = [...document.querySelectorAll(LINES)].filter((line) => line.checkVisibility());
    const inPane = all.filter((line) => line.closest("#pane"));
    return inPane.length ? inPane : all;
  };
  const current = () => document.activeElement?.closest(LINES);

  const move = (step) => {
    const all = lines();
    const at = all.indexOf(current());
    const next = at < 0 ? (step > 0 ? firstInSight(all) : all.length - 1) : at + step;
    go(all[Math.max(0, Math.min(next, all.length - 1))]);
  };
  const go = (line) => {
    if (!line) return;
    if (line.matches(".message")) line.tabIndex = -1;
    line.focus({ preventScroll: true });
    line.scrollIntoView({ block: "nearest" });
  };
  const firstInSight = (all) => {
    const found = all.findIndex((line) => line.getBoundingClientRect().top >= 0);
    return found < 0 ? 0 : found;
  };

  // As in any tree: outwards folds a branch, or leads to what this answers; inwards is the way back.
  const climb = (isOut) => {
    const row = current().closest(".thread__row");
    const fold = row?.querySelector(".thread__fold");
    if (fold?.ariaExpanded === String(isOut)) fold.click();
    else if (!isOut) fold && move(1);
    else {
      const level = (other) => other.className.match(/\d/)?.[0];
      let other = row;
      while (other && !(level(other) < level(row))) other = other.previousElementSibling;
      go(other?.querySelector(".message"));
    }
  };
  const isRightToLeft = document.dir === "rtl";

  const press = (selector, within = document) => within?.querySelector(selector)?.click();
  const onMessage = (selector) => press(selector, current() ?? document.querySelector(".message--target"));

  const actions = {
    "?": () => help.showModal(),
    j: () => move(1),
    k: () => move(-1),
    c: () => press(".nav__link--compose"),
    r: () => onMessage('.message__action[href$="/reply/"]'),
    e: () => onMessage('.message__action[href$="/edit/"]'),
    H: () => onMessage(".message__edited"),
    u: () => press(".thread-head__unread button"),
    v: () => {
      const form = document.querySelector(".thread-head__view");
      const at = current()?.id.match(/\d+/)?.[0]; // where one is stays in sight
      if (form && at) form.action = form.action.replace(/\d+(?=\/view)/, at);
      form?.requestSubmit();
    },
    z: () => [...document.querySelectorAll(".toast__undo")].at(-1)?.click(),
    "/": () => location.assign(help.dataset.people),
    ArrowLeft: () => climb(!isRightToLeft),
    ArrowRight: () => climb(isRightToLeft),
    Enter: () => onMessage(".message__time"),
    Escape: () => press(".thread-head__back"),
  };
  const places = { i: ".nav__link--inbox", a: ".nav__link--all", n: ".nav__link--bell" };

  const isBusy = (event) =>
    event.defaultPrevented || event.isComposing || event.repeat && !"jk".includes(event.key) ||
    event.ctrlKey || event.altKey || event.metaKey ||
    document.querySelector("dialog[open], :popover-open") ||
    event.target.closest("input, textarea, select, [contenteditable]");
  // On a link or a button, Enter is that one's own, and in wide code the arrows are.
  const isTheirs = (event) => /^(Enter|Arrow)/.test(event.key) && !event.target.matches(".message");

  document.addEventListener("keydown", (event) => {
    if (isBusy(event) || isTheirs(event)) return;
    if (!switchedOn.checked && event.key !== "?") return;
    const place = isGoing && places[event.key];
    const act = place ? () => press(place) : actions[event.key];
    isGoing = event.key === "g";
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
