// Passkeys need a script: only one may ask the browser for its authenticator. What comes back goes into a form of the
// page, which is then sent like every other. Without a script, or in a browser without passkeys, the password remains.
"use strict";
(() => {
  if (!window.PublicKeyCredential || !navigator.credentials) return;
  const lang = document.documentElement.lang;

  const bytes = (text) => {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (c) => c.charCodeAt(0));
  };
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const ids = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  // WebAuthn Level 3 §5.1.8, for browsers that do not have the JSON forms themselves.
  const response = (credential) => {
    const of = credential.response;
    const out = { clientDataJSON: text(of.clientDataJSON) };
    if (of.attestationObject) {
      out.attestationObject = text(of.attestationObject);
      out.transports = of.getTransports ? of.getTransports() : [];
    } else {
      out.authenticatorData = text(of.authenticatorData);
      out.signature = text(of.signature);
      if (of.userHandle) out.userHandle = text(of.userHandle);
    }
    return JSON.stringify({ id: credential.id, rawId: credential.id, type: credential.type, response: out, clientExtensionResults: {} });
  };

  const ask = async (path, body, csrf) => {
    const headers = { "content-type": "application/json", accept: "application/json", "accept-language": lang };
    if (csrf) headers["x-csrf-token"] = csrf;
    const answer = await fetch(path, {
      method: "POST", credentials: "same-origin", cache: "no-store", redirect: "error", headers, body: JSON.stringify(body),
    });
    const told = await answer.json();
    if (!answer.ok) throw new Error([told.title, told.remedy].filter(Boolean).join(lang === "ja" ? "" : " "));
    return told;
  };

  const creation = (given) => ({
    ...given,
    challenge: bytes(given.challenge),
    user: { ...given.user, id: bytes(given.user.id) },
    excludeCredentials: ids(given.excludeCredentials),
  });
  const request = (given) => ({ ...given, challenge: bytes(given.challenge), allowCredentials: ids(given.allowCredentials) });

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const { passkey: kind, options: path, step, failed } = form.dataset;
    const button = form.querySelector("button");
    const said = form.querySelector("[data-said]");
    form.hidden = false;
    let ready = false;
    form.addEventListener("submit", async (event) => {
      if (ready) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      button.disabled = true;
      said.textContent = "";
      try {
        const password = form.elements.namedItem("password");
        const body = password ? { password: password.value } : step ? { step } : {};
        const told = await ask(path, body, form.dataset.signedIn ? form.elements.namedItem("csrf").value : "");
        const credential = kind === "create"
          ? await navigator.credentials.create({ publicKey: creation(told.public_key) })
          : await navigator.credentials.get({ publicKey: request(told.public_key) });
        form.elements.namedItem("ceremony").value = told.ceremony;
        form.elements.namedItem("credential").value = response(credential);
        // The password has done its part; the form does not carry it a second time.
        if (password) password.disabled = true;
        ready = true;
        button.disabled = false;
        form.requestSubmit(button);
      } catch (error) {
        button.disabled = false;
        // A DOMException is the browser's or the authenticator's: whoever changed their mind, or had no passkey.
        said.textContent = error instanceof DOMException ? failed : error.message;
        said.focus();
      }
    }, true);
  }
})();
