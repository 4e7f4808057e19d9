"use strict";
// A branch folds away at its line, and says how many replies it holds. It unfolds by itself when
// something new comes into it: nothing unseen is marked as read, and nothing sent is out of sight.
(() => {
  const folded = new Map(); // by the id of a message: what was new in its branch when it was folded

  const levelOf = (row) => Number(/--level-(\d)/.exec(row.className)?.[1]);
  const branchOf = (row) => {
    const rows = [];
    for (let next = row.nextElementSibling; next && levelOf(next) > levelOf(row); next = next.nextElementSibling) {
      rows.push(next);
    }
    return rows;
  };
  const NEW = ".message--unread, .message--mine"; // if they weren't there when it was folded
  const newIn = (rows) => rows.flatMap((row) => [...row.querySelectorAll(NEW)].map(({ id }) => id));

  const arrange = () => {
    for (const button of document.querySelectorAll(".thread__fold")) {
      const row = button.closest(".thread__row");
      const { id } = row.querySelector(".message");
      if (!folded.has(id)) continue;
      const branch = branchOf(row);
      if (newIn(branch).every((known) => folded.get(id).has(known))) fold(button, branch);
      else {
        folded.delete(id);
        unfold(button, branch);
      }
    }
  };

  const fold = (button, branch) => {
    for (const row of branch) row.hidden = true;
    button.setAttribute("aria-expanded", "false");
    button.textContent = branch.filter((row) => row.querySelector(".message")).length || "";
  };

  const unfold = (button, branch) => {
    for (const row of branch) row.hidden = false;
    button.setAttribute("aria-expanded", "true");
    button.textContent = "";
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".thread__fold");
    if (!button) return;
    const row = button.closest(".thread__row");
    const { id } = row.querySelector(".message");
    const branch = branchOf(row);
    if (folded.delete(id)) unfold(button, branch);
    else {
      folded.set(id, new Set(newIn(branch)));
      fold(button, branch);
    }
    arrange(); // what was folded within stays so
  });

  document.addEventListener("htmx:after:swap", arrange);
})();
