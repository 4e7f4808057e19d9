"use strict";
// Where the focus goes when what had it was swapped away: to the message that was edited, the link
// that opened the form, the first reply that came, the field that was written in or what it sent,
// the button that takes back what was just done.
(() => {
  const go = (element) => {
    if (!element) return;
    if (element.matches(".message")) element.tabIndex = -1;
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: "nearest" });
  };
  const linkTo = (address) => document.querySelector(`.message__action[href="${address}"]`);
  // Or with what is around everything: there Safari leaves it, which gives none to a clicked button.
  const isLost = () => !document.activeElement || document.activeElement.matches("body, main");

  const plan = ({ sourceElement: source, response }) => {
    if (!source.matches || response.status >= 300) return null;
    if (source.matches("[data-cancel]")) {
      const address = source.closest("form")?.getAttribute("action");
      return () => linkTo(address);
    }
    if (source.matches("form.editor")) {
      const id = source.closest(".message")?.id; // none: another answer took it away
      return () => document.getElementById(id);
    }
    if (source.matches(".block")) {
      const { id } = source;
      return () => document.getElementById(id)?.querySelector("[type=submit]");
    }
    if (source.matches(".thread__more")) {
      const known = new Set([...document.querySelectorAll(".message")].map((message) => message.id));
      return () => [...document.querySelectorAll(".message[id]")].find(({ id }) => !known.has(id));
    }
    const pk = response.headers.get("Parley-Message");
    if (!pk) return null;
    const id = source.parentElement?.id;
    const find = (selector) => document.querySelector(selector);
    return () => find(`#${id} textarea`) ?? find(`#message-${pk}`);
  };

  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    const source = ctx.sourceElement.closest?.("form") ?? ctx.sourceElement;
    if (isLost() || source.contains?.(document.activeElement)) ctx.focusNext = plan(ctx);
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const { focusNext, sourceElement } = event.detail.ctx;
    if (focusNext && isLost()) go(focusNext());
    if (sourceElement.matches?.(".message__action")) {
      document.activeElement.closest("form")?.scrollIntoView({ block: "nearest" });
    }
  });
})();
