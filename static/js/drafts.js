"use strict";
// What is typed and not sent yet survives a reload: it is kept in this tab, for this person, by the
// address it would be sent to, until it is sent or emptied.
(() => {
  const owner = document.body.dataset.person;
  const prefix = `draft:${owner}:`;
  if (!owner) return;

  // A revision is part of the name: a text that was edited elsewhere meanwhile is another one.
  const name = (field) => {
    const revision = field.form.elements.revision?.value ?? "";
    return `${prefix}${new URL(field.form.action).pathname}:${revision}`;
  };
  const isDraft = (field) => field.matches?.("form textarea[name=content]");
  const fields = () => [...document.querySelectorAll("form textarea[name=content]")];

  const keep = (field) => {
    if (field.value && field.value !== field.defaultValue) sessionStorage.setItem(name(field), field.value);
    else sessionStorage.removeItem(name(field));
  };

  // Once a field: one that is empty because its text is on its way stays empty, whatever is swapped
  // in meanwhile. A form that came back refused brings its text along, which is newer than this.
  const met = new WeakSet();
  const restore = (field) => {
    if (met.has(field)) return;
    met.add(field);
    const text = sessionStorage.getItem(name(field));
    const isRefused = field.form.querySelector("[role=alert]");
    if (!text || isRefused || field.value !== field.defaultValue) return;
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const forgetOthers = () => {
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith("draft:") && !key.startsWith(prefix)) sessionStorage.removeItem(key);
    }
  };

  document.addEventListener("input", (event) => {
    if (isDraft(event.target)) keep(event.target);
  });
  // Capturing: before the answer takes the form away.
  document.addEventListener("htmx:after:request", (event) => {
    const { sourceElement, response } = event.detail.ctx;
    const field = sourceElement.elements?.content;
    if (field && response.status < 300) sessionStorage.removeItem(name(field));
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
    sessionStorage.removeItem(name(field));
    if (!field.value.trim() || field.value === field.defaultValue) return;
    const draft = { address: form.getAttribute("action"), text: field.value };
    const undo = () => bring(draft);
    const detail = { text: document.getElementById("toasts").dataset.dropped, undo };
    document.dispatchEvent(new CustomEvent("parley:toast", { detail }));
  }, true);
  // A text that comes back goes to the form of its address, which is opened if it isn't there;
  // with another thread on the page, it waits as a draft.
  let coming = null;
  const bring = (draft) => {
    coming = draft;
    if (arrive()) return;
    const link = document.querySelector(`.message__action[href="${draft.address}"]`);
    if (link) return link.click();
    const key = `${prefix}${draft.address}:`;
    sessionStorage.setItem(key, [draft.text, sessionStorage.getItem(key)].filter(Boolean).join("\n\n"));
    coming = null;
  };
  const arrive = () => {
    const field = coming && fields().find((other) => other.form.getAttribute("action") === coming.address);
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
    fields().forEach(restore);
    arrive();
  });

  forgetOthers();
  fields().forEach(restore);
})();
