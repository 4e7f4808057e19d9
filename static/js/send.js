"use strict";
// A reply stands on the page as soon as it is sent, faded until the server has it. If it didn't get
// there, it says so, and the text is back in its form, which sends it under the same token: never
// twice. Once it is there, it can be taken back for a moment.
(() => {
  const UNDO = 10000;
  const words = document.getElementById("toasts").dataset;
  const sends = new Map(); // what is on its way or failed, by form

  const isReply = (form) => form.matches?.("form.composer[hx-post$='/reply/']");
  const make = (tag, name, text) => {
    const element = document.createElement(tag);
    element.className = name;
    if (text) element.textContent = text;
    return element;
  };
  const show = (send) => {
    const parent = send.form.closest(".thread__row");
    const level = Number(parent?.className.match(/level-(\d)/)?.[1] ?? 0) + 1;
    if (parent && !document.querySelector("[data-newest-last]")) parent.after(send.row);
    else document.querySelector("ol.thread")?.append(send.row);
    send.row.className = `thread__row thread__row--level-${level}`;
  };
  const start = (form) => {
    const field = form.elements.content;
    const row = make("li", "thread__row");
    const article = make("article", "message message--mine message--sending");
    const body = make("div", "message__body message__body--plain", field.value);
    body.dir = "auto";
    article.append(make("p", "message__note", words.sending), body);
    row.append(article);
    const send = { form, row, text: field.value, isWaiting: true };
    show(send);
    field.value = "";
    row.scrollIntoView({ block: "nearest" });
    return send;
  };
  const fail = (send) => {
    if (!send?.isWaiting) return;
    send.isWaiting = false;
    const note = send.row.querySelector(".message__note");
    const again = make("button", "message__again", words.again);
    again.type = "button";
    again.addEventListener("click", () => send.form.requestSubmit());
    note.replaceChildren(`${words.unsent} `, again);
    send.row.firstChild.classList.add("message--unsent");
    give(send.form.elements.content, send.text);
  };
  const give = (field, text) => {
    field.value = field.value ? `${text}\n\n${field.value}` : text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const offerUndo = (send, pk) => {
    const address = send.form.getAttribute("hx-post");
    const takeBack = () =>
      document.dispatchEvent(new CustomEvent("parley:draft", { detail: { address, text: send.text } }));
    const undo = () =>
      document.dispatchEvent(
        new CustomEvent("parley:delete", {
          detail: { address: `/messages/${pk}/delete/`.replace(/^\/messages/, base(address)), done: takeBack },
        }),
      );
    const detail = { text: words.sent, undo, lasts: UNDO };
    document.dispatchEvent(new CustomEvent("parley:toast", { detail }));
  };
  const base = (address) => address.replace(/\/\d+\/reply\/$/, "");

  // One at a time: htmx would break off the first one for the second.
  document.addEventListener(
    "submit",
    (event) => {
      if (!sends.get(event.target)?.isWaiting) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    { capture: true },
  );
  document.addEventListener("htmx:before:request", (event) => {
    const form = event.detail.ctx.sourceElement;
    if (!isReply(form)) return;
    sends.get(form)?.row.remove();
    sends.delete(form);
    const { value, dataset } = form.elements.content;
    if (value.trim() && [...value].length <= Number(dataset.limit)) sends.set(form, start(form));
  });
  document.addEventListener("htmx:after:request", (event) => {
    const { sourceElement: form, response } = event.detail.ctx;
    const send = sends.get(form);
    if (!send) return;
    const isAnswered = response.status < 300 || form.hasAttribute(`hx-status:${response.status}`);
    if (!isAnswered) return fail(send);
    send.isWaiting = false;
    send.row.remove();
    sends.delete(form);
    send.rest = form.elements.content.value; // typed meanwhile
    send.id = form.parentElement.id;
    event.detail.ctx.sent = send;
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const { sent, response } = event.detail.ctx;
    for (const send of sends.values()) if (!send.row.isConnected) show(send);
    if (!sent) return;
    const field = document.getElementById(sent.id)?.querySelector("textarea[name=content]");
    if (field && sent.rest) give(field, sent.rest);
    const pk = response.headers.get("Parley-Message");
    if (pk) offerUndo(sent, pk);
  });
  // Not reached, or broken off: nobody knows whether it arrived. The token does.
  document.addEventListener("htmx:finally:request", (event) => {
    fail(sends.get(event.detail.ctx.sourceElement));
  });
})();
