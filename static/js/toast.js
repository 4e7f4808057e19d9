"use strict";
// Short notices at the foot of the page. What went well goes by itself; what went wrong stays
// until it is closed. The words are data attributes of #toasts, so that they can be translated.
(() => {
  const LASTS = 6000;
  const toasts = document.getElementById("toasts");
  const words = { 403: "stale", 404: "gone", 413: "long", 429: "fast" };

  const show = (text) => {
    const toast = document.createElement("p");
    toast.className = "toast toast--error";
    toast.textContent = text;
    const isShown = [...toasts.children].some((other) => other.firstChild?.textContent === text);
    if (!isShown) toasts.append(toast);
  };

  const arrange = (toast) => {
    if (!toast.matches?.(".toast") || toast.querySelector(".toast__close")) return;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "toast__close";
    close.ariaLabel = toasts.dataset.close;
    close.textContent = "×";
    close.addEventListener("click", () => toast.remove());
    toast.append(close);
    if (!toast.matches(".toast--error")) setTimeout(() => toast.remove(), LASTS);
  };

  const isPoll = ({ sourceElement }) => sourceElement?.matches?.("[data-poll]");
  const isExpected = ({ sourceElement, response }) =>
    response.status === 401 ||
    sourceElement?.hasAttribute?.(`hx-status:${response.status}`) ||
    response.headers.get("HX-Redirect") ||
    response.headers.get("HX-Refresh");

  document.addEventListener("htmx:response:error", (event) => {
    const { ctx } = event.detail;
    if (isPoll(ctx) || isExpected(ctx) || ctx.text.includes("#toasts")) return;
    show(toasts.dataset[words[ctx.response.status] ?? "failed"]);
  });

  document.addEventListener("htmx:error", (event) => {
    const { ctx } = event.detail;
    if (ctx && !ctx.response && !isPoll(ctx)) show(toasts.dataset.failed);
  });

  [...toasts.children].forEach(arrange);
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) addedNodes.forEach(arrange);
  }).observe(toasts, { childList: true });
})();
