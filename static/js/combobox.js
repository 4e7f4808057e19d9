"use strict";
// A text field with suggestions (the ARIA combobox pattern). htmx fetches the options into the
// listbox that aria-controls names; here they are opened, walked through and chosen.
(() => {
  const comboboxOf = (element) => element.closest?.("input[role=combobox]");
  const listOf = (input) => document.getElementById(input.getAttribute("aria-controls"));
  const optionsOf = (input) => [...listOf(input).querySelectorAll("[role=option]")];
  const isOpen = (input) => input.getAttribute("aria-expanded") === "true";

  const open = (input) => {
    listOf(input).hidden = false;
    input.setAttribute("aria-expanded", "true");
  };

  const close = (input) => {
    listOf(input).hidden = true;
    input.setAttribute("aria-expanded", "false");
    activate(input, null);
  };

  const activate = (input, active) => {
    for (const option of optionsOf(input)) option.setAttribute("aria-selected", option === active);
    if (active) input.setAttribute("aria-activedescendant", active.id);
    else input.removeAttribute("aria-activedescendant");
    active?.scrollIntoView({ block: "nearest" });
  };

  const choose = (input, option) => {
    input.value = option.dataset.value;
    close(input);
    input.focus();
  };

  const move = (input, step) => {
    const options = optionsOf(input);
    if (!options.length) return;
    const now = options.findIndex((option) => option.ariaSelected === "true");
    const next = now < 0 && step < 0 ? options.length - 1 : (now + step + options.length) % options.length;
    open(input);
    activate(input, options[next]);
  };

  const keys = {
    ArrowDown: (input) => (move(input, 1), true),
    ArrowUp: (input) => (move(input, -1), true),
    Escape: (input) => isOpen(input) && (close(input), true),
    Enter: (input) => {
      const option = isOpen(input) && document.getElementById(input.getAttribute("aria-activedescendant"));
      return option && (choose(input, option), true);
    },
    Tab: (input) => (close(input), false),
  };

  document.addEventListener(
    "keydown",
    (event) => {
      const input = comboboxOf(event.target);
      if (!input || event.isComposing || event.keyCode === 229) return; // the latter is Safari's word
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (keys[event.key]?.(input)) event.preventDefault();
    },
    { capture: true }, // before Esc means "cancel" to the form
  );

  document.addEventListener("htmx:before:request", (event) => {
    const input = comboboxOf(event.detail.ctx.sourceElement);
    if (!input || [...input.value.trim()].length >= Number(input.dataset.min || 2)) return;
    event.preventDefault();
    close(input);
  });

  document.addEventListener("htmx:after:swap", (event) => {
    const input = comboboxOf(event.detail.ctx.sourceElement);
    if (!input) return;
    const isChosen = optionsOf(input).some((option) => option.dataset.value === input.value);
    const isWanted = document.activeElement === input && listOf(input).childElementCount;
    if (isWanted && !(isChosen && optionsOf(input).length === 1)) open(input);
    else close(input);
  });

  document.addEventListener("pointerdown", (event) => {
    if (event.target.closest("[role=listbox]")) event.preventDefault(); // keep the focus in the field
  });

  document.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    const list = option?.closest("[role=listbox]");
    const input = list && document.querySelector(`[aria-controls="${list.id}"]`);
    if (input) choose(input, option);
  });

  document.addEventListener("focusout", (event) => {
    const input = comboboxOf(event.target);
    if (input) close(input);
  });
})();
