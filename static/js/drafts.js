"use strict";
// What is typed and not sent yet survives a reload: it is kept in this tab, for this person, by its
// field and the address it would be sent to, until it is sent or emptied.
(() => {
  const owner = document.body.dataset.person;
  const HOUR = 3_600_000; // as long as it takes to notice
  const prefix = `draft:${owner}:`;
  if (!owner) return;

  // A revision is part of the name: a text that was edited elsewhere meanwhile is another one. So is
  // the person that the page was opened for, as long as they are who it is to.
  const name = (field) => {
    const { revision, to } = field.form.elements;
    const asked = new URLSearchParams(location.search).get("to");
    const rest = revision?.value ?? (to?.value === asked ? asked : "");
    return `${prefix}${new URL(field.form.action).pathname}:${field.id}:${rest}`;
  };
  const names = new WeakMap(); // under which a field was kept: who it is to may change
  const fields = () => [...document.querySelectorAll("form textarea[name=content]")];

  const forget = (field) => {
    for (const key of [name(field), names.get(field)]) sessionStorage.removeItem(key);
  };
  const keep = (field) => {
    forget(field);
    if (!field.value || field.value === field.defaultValue) return;
    sessionStorage.setItem(name(field), field.value);
    names.set(field, name(field));
  };

  // Once a field: one that is empty because its text is on its way stays empty, whatever is swapped
  // in meanwhile. A form that came back refused brings its text along, which is newer than this.
  const met = new WeakSet();
  const going = new Map(); // names of texts on their way, by field: in no form until they failed
  const restore = (field) => {
    if (met.has(field) || [...going.values()].includes(name(field))) return;
    met.add(field);
    const text = sessionStorage.getItem(name(field));
    const isRefused = field.form.querySelector("[role=alert]");
    if (!text || isRefused || field.value !== field.defaultValue) return;
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true })); // which keeps it
  };

  const forgetOthers = () => {
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith("draft:") && !key.startsWith(prefix)) sessionStorage.removeItem(key);
    }
  };

  document.addEventListener("input", ({ target }) => {
    const field = target.form?.elements.content;
    if (field && (field === target || field.value)) keep(field);
  });
  document.addEventListener("htmx:config:request", (event) => {
    const field = event.detail.ctx.sourceElement.elements?.content;
    if (field) going.set(field, name(field));
  });
  document.addEventListener("htmx:finally:request", (event) => {
    going.delete(event.detail.ctx.sourceElement.elements?.content);
    fields().forEach(restore);
  });
  // Capturing: before the answer takes the form away.
  document.addEventListener("htmx:after:request", (event) => {
    const { sourceElement, response } = event.detail.ctx;
    const field = sourceElement.elements?.content;
    if (field && response.status < 300) forget(field);
  }, true);
  // A form that htmx doesn't send is answered by a page: by the thread, if its text arrived.
  document.addEventListener("submit", ({ target }) => {
    const field = target.elements.content;
    if (field && !target.hasAttribute("hx-post")) sessionStorage.setItem("sent", name(field));
  });
  const sent = sessionStorage.getItem("sent");
  sessionStorage.removeItem("sent");
  if (sent && document.getElementById("thread")) sessionStorage.removeItem(sent);
  // A form that is left with words in it can be had back.
  document.addEventListener("click", (event) => {
    const form = event.target.closest?.("[data-cancel]")?.closest("form");
    const field = form?.elements.content;
    if (!field) return;
    forget(field);
    if (!field.value.trim() || field.value === field.defaultValue) return;
    offer(field, field.value);
  }, true);
  const offer = (field, text, rest) => {
    const draft = { id: field.id, address: field.form.getAttribute("action"), text };
    const detail = { text: document.getElementById("toasts").dataset.dropped, undo: () => bring(draft), ...rest };
    document.dispatchEvent(new CustomEvent("parley:toast", { detail }));
  };
  // A message that goes takes the form below it along, or its editor: their text is offered to the
  // form at the foot. In another thread it isn't: there the list is another one, too.
  let known = [];
  const look = () => {
    for (const [field, list] of known) if (!field.isConnected && list?.isConnected) save(field);
    known = fields().map((field) => [field, field.closest("[data-poll]")]);
  };
  const save = (field) => {
    const text = sessionStorage.getItem(name(field));
    const foot = document.querySelector("#composer textarea");
    const [pk] = field.form.action.match(/\d+(?=\/\w+\/$)/);
    if (!text || !foot || document.querySelector(`#message-${pk}:not(.message--deleted)`)) return;
    forget(field);
    if (!foot.value) sessionStorage.setItem(name(foot), text);
    offer(foot, text, { done: () => keep(foot), lasts: HOUR });
  };
  // A text that comes back goes to its field, whose form is opened if it isn't there; with another
  // thread on the page, it waits as a draft.
  let coming = null;
  const bring = (draft) => {
    coming = draft;
    if (arrive()) return;
    const link = document.querySelector(`.message__action[href="${draft.address}"]`);
    if (link) return link.click();
    const key = `${prefix}${draft.address}:${draft.id}:`;
    sessionStorage.setItem(key, [draft.text, sessionStorage.getItem(key)].filter(Boolean).join("\n\n"));
    coming = null;
  };
  const arrive = () => {
    const isIts = ({ id, form }) => id === coming.id && form.getAttribute("action") === coming.address;
    const field = coming && fields().find(isIts);
    if (!field) return false;
    const isEmpty = !field.value || field.value === field.defaultValue;
    field.value = isEmpty ? coming.text : `${coming.text}\n\n${field.value}`;
    coming = null;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
    return true;
  };
  document.addEventListener("parley:draft", ({ detail }) => bring(detail));
  document.addEventListener("htmx:after:swap", () => {
    look();
    fields().forEach(restore);
    arrive();
  });

  forgetOthers();
  fields().forEach(restore);
})();
