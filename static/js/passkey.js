"use strict";
// Passkeys. A form with data-passkey is sent twice: first without a passkey, to be answered with a
// challenge, and then with what the browser and its owner have made of that.
(() => {
  const kinds = {
    create: ({ publicKey }) =>
      navigator.credentials.create({
        publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey),
      }),
    get: ({ publicKey }) =>
      navigator.credentials.get({
        publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey),
      }),
  };
  const isSupported = Boolean(window.PublicKeyCredential?.parseRequestOptionsFromJSON);
  const CHANGED_THEIR_MIND = ["AbortError", "NotAllowedError"];

  const say = (form, word) => {
    const place = form.querySelector("[role=alert]");
    place.textContent = word ? form.dataset[word] : "";
    place.hidden = !word;
  };

  const send = async (form) => {
    const credential = form.elements.namedItem("credential");
    credential.value = "";
    const response = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
    });
    if (response.redirected) location.reload(); // the password is asked for first
    else if (!response.ok) say(form, response.status === 429 ? "fast" : "failed");
    else {
      credential.value = JSON.stringify(await kinds[form.dataset.passkey](await response.json()));
      form.submit();
    }
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-passkey]")) return;
    event.preventDefault();
    say(form, isSupported ? "" : "unsupported");
    if (!isSupported || form.ariaBusy === "true") return;
    form.ariaBusy = "true";
    try {
      await send(form);
    } catch (error) {
      if (error.name === "SecurityError") say(form, "unsupported"); // an address without a name
      else if (!CHANGED_THEIR_MIND.includes(error.name)) say(form, "failed");
    } finally {
      form.ariaBusy = null;
    }
  });
})();
