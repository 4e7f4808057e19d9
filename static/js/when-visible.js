"use strict";
// What nobody looked at isn't read. A list with a form that marks it as read (data-when-visible) is
// marked as far as it was in sight: up to the first new message that is still out of it, further
// down or in a tab that nobody looks at.
(() => {
  const seen = new Set(); // by id: a swap may replace the article
  const told = new Set(); // what the server knows of
  let isTelling = false;

  const pkOf = (article) => Number(article.id.match(/\d+/)[0]);
  const timeOf = (article) => article.querySelector(".message__time time").dateTime;
  const byTime = (one, other) =>
    timeOf(one) === timeOf(other) ? pkOf(one) - pkOf(other) : timeOf(one) < timeOf(other) ? -1 : 1;
  const unread = () => [...document.querySelectorAll("#thread .message--unread[id]")];

  // All that is new up to the last message that the form is about, and hasn't been told.
  const meant = (form) => {
    const last = Number(form.action.match(/(\d+)\/read/)[1]);
    const all = unread().sort(byTime);
    const end = all.findIndex((article) => pkOf(article) === last) + 1;
    return all.slice(0, end).filter(({ id }) => !told.has(id));
  };

  const tell = async () => {
    const form = document.querySelector("form[data-when-visible]");
    if (!form || isTelling) return;
    const waiting = meant(form);
    const end = waiting.findIndex(({ id }) => !seen.has(id));
    const read = end < 0 ? waiting : waiting.slice(0, end);
    if (!read.length) return;
    isTelling = true;
    const action = form.action.replace(/\d+(?=\/read)/, pkOf(read.at(-1)));
    await htmx.ajax("POST", action, { source: form, swap: "none", read }).catch(() => {});
    isTelling = false;
    if (told.has(read[0].id)) tell(); // and what was seen meanwhile
  };
  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    if (ctx.response.status < 300) for (const { id } of ctx.read ?? []) told.add(id);
  });

  const watcher = new IntersectionObserver((entries) => {
    if (document.hidden) return;
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      watcher.unobserve(target);
      seen.add(target.id);
    }
    tell();
  });
  // Anew, since it only tells of changes: what was in sight of nobody may be so of somebody now.
  const watch = () => {
    watcher.disconnect();
    for (const article of unread()) if (!seen.has(article.id)) watcher.observe(article);
    if (!document.hidden) tell();
  };
  watch();
  document.addEventListener("htmx:after:swap", watch);
  document.addEventListener("visibilitychange", watch);
})();
