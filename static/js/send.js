"use strict";
// A reply stands on the page as soon as it is sent, faded until the server has it. If it didn't get
// there, it says so, and the text is back in its form, which sends it under the same token: never
// twice. Once it is there, it can be taken back for a moment.
(() => {
  const UNDO = 10000;
  const words = document.getElementById("toasts").dataset;
  const MESSAGE = `<article class="message message--mine message--sending">
    <p class="message__note"></p><div class="message__body message__body--plain" dir="auto"></div>
  </article>`;
  const sends = new Map(); // what is on its way or failed, by form
  const busy = new WeakSet(); // forms under way, or waiting for others to be

  const isReply = (form) => form.matches?.("form.composer[hx-post$='/reply/']");
  const show = (send) => {
    const isFlat = !document.querySelector(".thread__row--level-0");
    const parent = isFlat ? null : send.form.closest(".thread__row");
    const level = Number(parent?.className.match(/level-(\d)/)?.[1] ?? 0) + 1;
    send.row.className = `thread__row${isFlat ? "" : ` thread__row--level-${level}`}`;
    if (parent) parent.after(send.row);
    else document.querySelector("ol.thread")?.append(send.row);
  };
  const start = (form) => {
    const field = form.elements.content;
    const row = document.createElement("li");
    row.innerHTML = MESSAGE;
    const [note, body] = row.firstChild.children;
    [note.textContent, body.textContent] = [words.sending, field.value];
    const send = { form, row, text: field.value };
    show(send);
    field.value = "";
    row.scrollIntoView({ block: "nearest" });
    return send;
  };
  const drop = (form) => {
    sends.get(form)?.row.remove();
    sends.delete(form);
  };
  const fail = (send) => {
    if (!send) return;
    const again = document.createElement("button");
    Object.assign(again, { className: "message__again", textContent: words.again });
    again.addEventListener("click", () => send.form.requestSubmit());
    send.row.firstChild.classList.add("message--unsent");
    send.row.querySelector("p").replaceChildren(`${words.unsent} `, again);
    give(send.form.elements.content, send.text);
  };
  const give = (field, text) => {
    field.value = field.value ? `${text}\n\n${field.value}` : text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const offerUndo = (send, pk) => {
    const address = send.form.getAttribute("action");
    const { id } = send.form.elements.content;
    const done = () => tell("draft", { id, address, text: send.text });
    const undo = () => tell("delete", { address: address.replace(/\d+\/reply/, `${pk}/delete`), done });
    tell("toast", { text: words.sent, undo, lasts: UNDO });
  };
  const tell = (what, detail) => document.dispatchEvent(new CustomEvent(`parley:${what}`, { detail }));

  // Once is enough: of a reply, of an edit, of a first message.
  document.addEventListener(
    "submit",
    (event) => {
      if (!busy.has(event.target)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    { capture: true },
  );
  // Not when its turn comes: what is typed until then isn't in it.
  document.addEventListener("htmx:config:request", (event) => {
    const form = event.detail.ctx.sourceElement;
    busy.add(form);
    if (!isReply(form)) return;
    drop(form);
    const { value, dataset } = form.elements.content;
    if (value.trim() && [...value].length <= Number(dataset.limit)) sends.set(form, start(form));
  });
  document.addEventListener("htmx:after:request", (event) => {
    const { sourceElement: form, response } = event.detail.ctx;
    const send = sends.get(form);
    if (!send) return;
    const isAnswered = response.status < 300 || form.hasAttribute(`hx-status:${response.status}`);
    if (!isAnswered) return;
    drop(form);
    send.rest = form.elements.content.value; // typed meanwhile
    send.id = form.parentElement.id;
    event.detail.ctx.sent = send;
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const { sent, response } = event.detail.ctx;
    for (const [form, send] of sends) {
      // Who left the thread finds the text there again, as a draft: it is for nobody else to see.
      if (!form.isConnected) drop(form);
      else if (!send.row.isConnected) show(send);
    }
    if (!sent) return;
    const field = document.getElementById(sent.id)?.querySelector("textarea[name=content]");
    if (field && sent.rest) give(field, sent.rest);
    const pk = response.headers.get("Parley-Message");
    if (pk) offerUndo(sent, pk);
  });
  // Refused, not reached, or broken off: nobody knows whether it arrived. The token does.
  document.addEventListener("htmx:finally:request", (event) => {
    const form = event.detail.ctx.sourceElement;
    busy.delete(form);
    fail(sends.get(form));
  });
})();
