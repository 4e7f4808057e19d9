"use strict";
// Delete takes a message back without asking, a few seconds later: until then it is only faded, and
// Undo brings it back. Who leaves the page meant it. (Without JavaScript the server asks first.)
(() => {
  const words = document.getElementById("toasts").dataset;
  const going = new Map(); // what may be undone yet, by the id of the message

  const dress = (id, isGoing) => {
    const article = document.getElementById(id);
    article?.classList.toggle("message--going", isGoing);
    if (article) article.inert = isGoing;
    return article;
  };
  const fade = () => {
    for (const id of going.keys()) dress(id, true);
  };
  const bring = (id) => {
    going.delete(id);
    return dress(id, false);
  };
  const focus = (article) => {
    if (!article) return;
    article.tabIndex = -1;
    article.focus({ preventScroll: true });
  };
  const neighbour = (article) => {
    const all = [...document.querySelectorAll(".message:not(.message--going)")];
    const place = (other) => article.compareDocumentPosition(other);
    return (
      all.find((other) => place(other) & Node.DOCUMENT_POSITION_FOLLOWING) ??
      all.findLast((other) => place(other) & Node.DOCUMENT_POSITION_PRECEDING)
    );
  };
  const send = (address, done) => {
    const form = document.createElement("form");
    const attributes = { "hx-post": address, "hx-swap": "none", "hx-include": ".thread-state" };
    for (const [name, value] of Object.entries(attributes)) form.setAttribute(name, value);
    form.hidden = true;
    document.body.append(form);
    form.addEventListener("htmx:finally:request", ({ detail }) => {
      form.remove();
      done(detail.ctx.response?.status < 300);
    });
    htmx.process(form);
    form.requestSubmit();
  };

  document.addEventListener("htmx:before:request", (event) => {
    const link = event.detail.ctx.sourceElement;
    if (!link.matches?.('.message__action[href$="/delete/"]')) return;
    event.preventDefault();
    const article = link.closest(".message");
    const { id } = article;
    const detail = {
      address: link.getAttribute("href"),
      text: words.deleted,
      undo: () => focus(bring(id)),
      done: () => {
        going.set(id, null); // on its way: still faded, and not to be sent again
        send(detail.address, () => bring(id));
      },
    };
    going.set(id, detail);
    fade();
    focus(neighbour(article));
    document.dispatchEvent(new CustomEvent("parley:toast", { detail }));
  });
  document.addEventListener("htmx:after:swap", fade);
  document.addEventListener("parley:delete", ({ detail }) => {
    send(detail.address, (isGone) => isGone && detail.done());
  });
  const leave = () => {
    const headers = JSON.parse(document.body.getAttribute("hx-headers:inherited"));
    for (const [id, detail] of going) {
      if (!detail) continue;
      fetch(detail.address, { method: "POST", keepalive: true, headers });
      detail.toast.remove();
      going.set(id, null);
    }
  };
  let isMail = false; // an address of that kind leaves no page
  const note = ({ target }) => {
    isMail = Boolean(target.closest?.('[href^="mailto:"]'));
  };
  document.addEventListener("click", note, { capture: true });
  // Before the next page is asked for, be it the log-out.
  addEventListener("beforeunload", () => {
    if (!isMail) leave();
  });
  addEventListener("pagehide", leave);
})();
