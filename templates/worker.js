{% load static %}"use strict";
// Keeps one public page for when there is no connection. Private pages are never stored.
const SHELF = "offline {% static "css/layers.css" %}"; // another style sheet, another release
const OFFLINE = "{{ offline }}";

self.addEventListener("install", (event) => {
  const kept = [new Request(OFFLINE, { credentials: "omit", cache: "reload" }), "{% static "css/layers.css" %}"];
  event.waitUntil(caches.open(SHELF).then((shelf) => shelf.addAll(kept)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name !== SHELF).map((name) => caches.delete(name));
  event.waitUntil(caches.keys().then((names) => Promise.all(old(names))));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return; // a form is the browser's own affair
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match(OFFLINE)));
  } else if (request.destination === "style") {
    event.respondWith(fetch(request).catch(async () => (await caches.match(request)) || Response.error()));
  }
});
