// The console's one script. Everything works without it; it adds copying, confirmation, the choice of time
// zone where no policy fixes one, and the end of the page when the session ends.
"use strict";
(() => {
  const body = document.body;
  const words = body.dataset;

  // --- copy buttons
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      if (!source) return;
      const text = "value" in source && source.value !== undefined && source.tagName === "INPUT" ? source.value : source.textContent;
      const said = button.querySelector("[data-word]") || button;
      const before = said.textContent;
      try {
        await navigator.clipboard.writeText(text.trim());
        said.textContent = words.copied;
      } catch {
        if (source.select) source.select();
        said.textContent = words.copyFailed;
      }
      setTimeout(() => { said.textContent = before; }, 2500);
    });
  }

  // --- a form that leads on to another site by itself
  const send = document.querySelector("form[data-send]");
  if (send) send.requestSubmit();

  // --- confirmation of what cannot be undone
  for (const form of document.querySelectorAll("form[data-confirm]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.confirmed === "yes" || typeof HTMLDialogElement !== "function") return;
      event.preventDefault();
      const submitter = event.submitter;
      const dialog = document.createElement("dialog");
      const question = document.createElement("p");
      question.textContent = form.dataset.confirm;
      const inner = document.createElement("form");
      inner.method = "dialog";
      const row = document.createElement("div");
      row.className = "row";
      const no = document.createElement("button");
      no.className = "button";
      no.value = "no";
      no.textContent = words.cancel;
      const yes = document.createElement("button");
      yes.className = "button danger";
      yes.value = "yes";
      yes.textContent = (submitter && submitter.textContent.trim()) || words.ok;
      row.append(no, yes);
      inner.append(question, row);
      dialog.append(inner);
      question.id = "confirm-question";
      dialog.setAttribute("aria-labelledby", question.id);
      body.append(dialog);
      dialog.addEventListener("close", () => {
        dialog.remove();
        if (dialog.returnValue === "yes") {
          form.dataset.confirmed = "yes";
          form.requestSubmit(submitter || undefined);
        } else if (submitter) {
          submitter.focus();
        }
      });
      dialog.showModal();
      no.focus();
    });
  }

  // --- markup in a form travels as base64: a firewall before the console takes it for an attack otherwise
  for (const area of document.querySelectorAll("textarea[data-packed]")) {
    area.form.addEventListener("formdata", (event) => {
      if (!area.value.trimStart().startsWith("<")) return;
      const bytes = new TextEncoder().encode(area.value);
      event.formData.set(area.name, btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")));
    });
  }

  // --- menus close on Escape and on a click elsewhere
  const menus = [...document.querySelectorAll("details.menu")];
  document.addEventListener("click", (event) => {
    for (const menu of menus) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus) {
      if (menu.open) { menu.open = false; menu.querySelector("summary").focus(); }
    }
  });

  // --- a form is sent once
  for (const form of document.querySelectorAll("form[method=post]")) {
    form.addEventListener("submit", (event) => {
      if (event.defaultPrevented) return;
      if (form.dataset.sent === "yes") { event.preventDefault(); return; }
      form.dataset.sent = "yes";
      setTimeout(() => { form.dataset.sent = ""; }, 5000);
    });
  }

  // --- the error summary takes the focus, so that it is read out
  const summary = document.getElementById("faults");
  if (summary) summary.focus();

  // --- the reader's own zone, told only where the policy fixes none
  if (words.zone === "own") {
    const minutes = -new Date().getTimezoneOffset();
    const pad = (n) => String(n).padStart(2, "0");
    const size = Math.abs(minutes);
    const zone = (minutes < 0 ? "-" : "+") + pad(Math.floor(size / 60)) + ":" + pad(size % 60);
    document.cookie = "sekisho-zone=" + zone + "; Path=/; Secure; SameSite=Lax; Max-Age=31536000";
  }

  // --- the session: asking never prolongs it; when it is over, nothing stays on the screen
  if (words.session !== "on") return;
  const every = 20000;
  let timer = 0;
  let end = Infinity;
  let ended = false;

  const over = () => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    document.title = words.endedTitle;
    const gate = document.createElement("div");
    gate.className = "gate";
    const main = document.createElement("main");
    const panel = document.createElement("div");
    panel.className = "panel";
    panel.setAttribute("role", "alert");
    const title = document.createElement("h1");
    title.textContent = words.endedTitle;
    title.tabIndex = -1;
    const text = document.createElement("p");
    text.textContent = words.endedText;
    const link = document.createElement("a");
    link.className = "button primary full";
    link.href = "/sign-in";
    link.textContent = words.endedLink;
    panel.append(title, text, link);
    main.append(panel);
    gate.append(main);
    body.className = "";
    body.replaceChildren(gate);
    title.focus();
  };

  const ask = async () => {
    clearTimeout(timer);
    try {
      const answer = await fetch("/api/v1/session", {
        credentials: "same-origin", cache: "no-store", redirect: "error", headers: { accept: "application/json" },
      });
      if (answer.status === 401) return over();
      if (answer.ok) {
        const told = await answer.json();
        const left = Math.min(Date.parse(told.idle_ends_at), Date.parse(told.ends_at)) - Date.parse(told.now);
        if (Number.isFinite(left)) end = performance.now() + left;
      }
    } catch {
      // Without an answer the last known end holds; past it, nothing may stay on the screen.
    }
    if (performance.now() >= end) return over();
    timer = setTimeout(ask, Math.max(500, Math.min(every, end - performance.now() + 250)));
  };
  addEventListener("pageshow", (event) => { if (event.persisted) ask(); });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") ask(); });
  ask();
})();
