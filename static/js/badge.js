"use strict";
// A dot on the icon of the tab, and a number on that of an installed app, while something is unread.
(() => {
  const icon = document.querySelector("link[rel=icon]");
  const plain = icon.href;
  let shown = 0;

  const draw = (image) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 32;
    const pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0, 32, 32);
    pen.fillStyle = "#d92d20";
    pen.arc(23, 9, 8, 0, 2 * Math.PI);
    pen.fill();
    return canvas.toDataURL();
  };
  const paint = () => {
    const badge = document.getElementById("nav-unread");
    const unread = badge?.hidden === false ? parseInt(badge.textContent, 10) : 0;
    if (unread === shown) return;
    shown = unread;
    navigator.setAppBadge?.(unread).catch(() => {});
    if (!unread) icon.href = plain;
    else if (icon.href === plain) {
      const image = new Image();
      image.onload = () => {
        if (shown) icon.href = draw(image);
      };
      image.src = plain;
    }
  };
  paint();
  document.addEventListener("htmx:after:swap", paint);
})();
