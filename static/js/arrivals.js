"use strict";
// News that arrive out of sight wait behind a button, "3 new"; nothing jumps. Whoever listens to
// the page is told of them once.
(() => {
  const words = document.getElementById("toasts").dataset;
  const status = document.getElementById("news");
  const button = document.getElementById("arrivals");
  const articles = () => [...document.querySelectorAll("[data-poll] .message[id]")];
  const known = new Set(articles().map((article) => article.id));
  const waiting = new Set();

  const show = () => {
    for (const article of waiting) if (!article.isConnected) waiting.delete(article);
    button.hidden = !waiting.size;
    button.textContent = words.news.replace("%d", waiting.size);
  };
  const watcher = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) watcher.unobserve(target);
      waiting[isIntersecting ? "delete" : "add"](target);
    }
    show();
  });
  const tell = (news) => {
    const read = (part) => news[0].querySelector(part)?.textContent.trim() ?? "";
    const [name, text] = [".message__author bdi", ".message__body"].map(read);
    status.textContent =
      news.length > 1
        ? words.news.replace("%d", news.length)
        : words.arrived.replace("%name", () => name).replace("%text", () => text.slice(0, 80));
  };

  document.addEventListener("htmx:after:swap", (event) => {
    const all = articles();
    const news = all.filter((article) => !known.has(article.id) && article.matches(".message--unread"));
    for (const { id } of all) known.add(id);
    show();
    if (!news.length || !event.detail.ctx.sourceElement.matches?.("[data-poll], form")) return;
    tell(news);
    for (const article of news) watcher.observe(article);
  });
  button.addEventListener("click", () => {
    const first = articles().find((article) => waiting.has(article));
    if (!first) return show();
    first.tabIndex = -1;
    first.scrollIntoView({ block: "center" });
    first.focus({ preventScroll: true });
  });
})();
