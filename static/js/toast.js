"use strict";
// Short notices at the foot of the page. What went well goes by itself, but not under the pointer or
// the focus; what went wrong stays until it is closed. The words are data attributes of #toasts, so
// that they can be translated. Other scripts send { text, undo, done } by the event "parley:toast":
// what Undo does, and what is done if nobody presses it.
(() => {
  const LASTS = 6000;
  const toasts = document.getElementById("toasts");
  const words = { 403: "stale", 404: "gone", 413: "long", 429: "fast" };
  const ends = new WeakMap(); // what is to be done when a toast goes by itself
  let before; // what had the focus before a toast got it

  const make = (tag, className, textContent) =>
    Object.assign(document.createElement(tag), { className, textContent });
  const button = (toast, name, text, act) => {
    const made = make("button", `toast__${name}`, text);
    made.addEventListener("click", () => {
      const hadFocus = toast.contains(document.activeElement);
      toast.remove();
      if (hadFocus && before?.isConnected) before.focus({ preventScroll: true });
      act?.();
    });
    toast.append(made);
    return made;
  };
  const show = (text) => {
    const isShown = [...toasts.children].some((other) => other.firstChild?.textContent === text);
    if (!isShown) toasts.append(make("p", "toast toast--error", text));
  };
  const offer = (detail) => {
    const { text, undo, done, lasts } = detail;
    const toast = make("p", "toast", text);
    detail.toast = toast; // for who may have to take it away
    ends.set(toast, done);
    if (lasts) toast.dataset.lasts = lasts;
    if (undo) button(toast, "undo", toasts.dataset.undo, undo);
    toasts.append(toast);
  };
  const wait = (toast, lasts) =>
    setTimeout(() => {
      if (toast.matches(":hover, :focus-within")) return wait(toast, 1000);
      if (!toast.isConnected) return;
      toast.remove();
      ends.get(toast)?.();
    }, lasts);
  const arrange = (toast) => {
    if (!toast.matches?.(".toast") || toast.querySelector(".toast__close")) return;
    button(toast, "close", "×", ends.get(toast)).ariaLabel = toasts.dataset.close;
    if (!toast.matches(".toast--error")) wait(toast, Number(toast.dataset.lasts) || LASTS);
  };
  const isPoll = ({ sourceElement }) => sourceElement?.matches?.("[data-poll]:not([data-gone])");
  const isExpected = ({ sourceElement, response }) =>
    response.status === 401 ||
    sourceElement?.hasAttribute?.(`hx-status:${response.status}`) ||
    response.headers.get("HX-Redirect") ||
    response.headers.get("HX-Refresh");

  document.addEventListener("parley:toast", ({ detail }) => offer(detail));
  document.addEventListener("htmx:response:error", (event) => {
    const { ctx } = event.detail;
    if (isPoll(ctx) || isExpected(ctx) || ctx.text.includes("#toasts")) return;
    show(toasts.dataset[words[ctx.response.status] ?? "failed"]);
  });
  document.addEventListener("htmx:error", (event) => {
    const { ctx } = event.detail;
    if (ctx && !ctx.response && !isPoll(ctx)) show(toasts.dataset.failed);
  });
  toasts.addEventListener("focusin", (event) => {
    if (event.relatedTarget && !toasts.contains(event.relatedTarget)) before = event.relatedTarget;
  });
  [...toasts.children].forEach(arrange);
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) addedNodes.forEach(arrange);
  }).observe(toasts, { childList: true });
})();
