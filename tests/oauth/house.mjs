// What the tests of our own provider share: a demo, an administrator's browser in it, and applications.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Agent, fetch, request } from "undici";
import { Demo } from "../browser/demo.mjs";

export const REDIRECT = "https://app.example.test/callback";

export class House {
  static async open() {
    const house = new House();
    house.demo = await Demo.start();
    [house.organisation] = house.demo.organisations;
    const lookup = (_name, options, done) =>
      options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);
    house.authority = join(house.demo.data, "authority.pem");
    house.agent = new Agent({ connect: { ca: readFileSync(house.authority), lookup } });
    house.through = (url, options) => fetch(url, { ...options, dispatcher: house.agent });
    house.token = await house.signIn();
    return house;
  }

  async close() {
    await this.agent?.close();
    await this.demo?.stop();
  }

  get console() {
    return this.organisation.console;
  }

  async signIn(account = this.organisation.administrator) {
    return (await this.api("POST", "/sign-in", account, "")).token;
  }

  async api(method, path, body, token = this.token) {
    const headers = { "content-type": "application/json" };
    if (token) headers.authorization = `Bearer ${token}`;
    const answer = await this.through(`${this.console}/api/v1${path}`, { method, headers, body: JSON.stringify(body) });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
    return answer.json();
  }

  async application(rights, more = {}) {
    const made = await this.api("POST", "/applications", {
      name: `test ${Math.random()}`, redirect_uris: [REDIRECT], rights, confidential: true, ...more,
    });
    await this.api("POST", `/applications/${made.id}/approve`, {});
    return made;
  }

  /** A page as the person's browser gets it. */
  visit(address, token = this.token) {
    const headers = { accept: "text/html", ...(token && { cookie: `__Host-sekisho=${token}` }) };
    return this.through(address, { headers, redirect: "manual" });
  }

  /** A form of a page that is sent back, with more in it. */
  async send(path, html, more, token = this.token) {
    const hidden = [...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]);
    const body = new URLSearchParams([...new Map(hidden), ...Object.entries(more)]).toString();
    const headers = { accept: "text/html", cookie: `__Host-sekisho=${token}`, origin: this.console, "content-type": "application/x-www-form-urlencoded" };
    return this.through(this.console + path, { method: "POST", body, headers, redirect: "manual" });
  }

  /** What the person's browser does: opens the address, allows on the page, goes back. */
  async consented(address, decision = "allow", token = this.token) {
    const asked = await this.visit(address, token);
    if (asked.status === 303) return new URL(asked.headers.get("location"));
    const html = await asked.text();
    assert.equal(asked.status, 200, html);
    const answered = await this.send("/oauth/authorize", html, { decision }, token);
    const page = await answered.text();
    assert.equal(answered.status, 200, page);
    return onward(page);
  }
}

/** A person's browser: cookies of each host, and of those only what goes along with another site's link or form. */
export class Browser {
  constructor(house) {
    this.house = house;
    this.jar = new Map();
  }

  #cookies(address) {
    const { host } = new URL(address);
    if (!this.jar.has(host)) this.jar.set(host, new Map());
    return this.jar.get(host);
  }

  /** Goes to an address, or sends a form there; `from` is the page's origin, where it is another site's. */
  async go(address, { form, from, accept = "text/html" } = {}) {
    const own = this.#cookies(address);
    const along = ({ site }) => !from || site === "none" || (!form && site === "lax");
    const cookie = [...own].filter(([, kept]) => along(kept)).map(([name, { value }]) => `${name}=${value}`).join("; ");
    const page = accept === "text/html";
    const site = from ? "cross-site" : form ? "same-origin" : "none";
    const headers = {
      accept, "accept-language": "en", "sec-fetch-mode": page ? "navigate" : "cors", "sec-fetch-dest": page ? "document" : "empty", "sec-fetch-site": site,
      ...(cookie && { cookie }),
    };
    if (form) Object.assign(headers, { "content-type": "application/x-www-form-urlencoded", origin: from ?? new URL(address).origin });
    const body = form && new URLSearchParams(form).toString();
    // Not `fetch`, which says itself how a request came about.
    const answer = await request(address, { method: form ? "POST" : "GET", headers, body, dispatcher: this.house.agent });
    for (const line of [answer.headers["set-cookie"] ?? []].flat()) {
      const [pair, ...rest] = line.split(";").map((part) => part.trim());
      const [name, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
      const site = (rest.find((part) => /^samesite=/i.test(part)) ?? "=lax").split("=")[1].toLowerCase();
      if (rest.some((part) => /^max-age=0$/i.test(part))) own.delete(name);
      else own.set(name, { value, site });
    }
    return { status: answer.statusCode, to: answer.headers.location, headers: answer.headers, text: await answer.body.text() };
  }

  /** Goes on as long as it is sent on. */
  async follow(address) {
    const got = await this.go(address);
    return got.to ? this.follow(new URL(got.to, address).href) : got;
  }

  /** A form of a page of the console, sent back with more in it. */
  send(path, page, more) {
    const csrf = page.text.match(/name="csrf" value="([^"]+)"/)[1];
    return this.go(this.house.console + path, { form: { csrf, ...more } });
  }

  /** The session at the console. */
  get token() {
    return this.#cookies(this.house.console).get("__Host-sekisho")?.value;
  }
}

/** What a page posts to another site: where to, and the fields. */
export function posted(page) {
  const plain = (text) => text.replaceAll("&#38;", "&").replaceAll("&amp;", "&").replaceAll("&#34;", '"').replaceAll("&#43;", "+").replaceAll("&#61;", "=");
  const form = page.match(/<form (?:class="form" )?method="post" action="([^"]+)"[^>]*>[^]*?<\/form>/);
  const fields = [...form[0].matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [name, plain(value)]);
  return { to: plain(form[1]), fields: Object.fromEntries(fields) };
}

/** Where a page leads on to. */
export function onward(page) {
  return new URL(page.match(/url=([^"]+)"/)[1].replaceAll("&#38;", "&").replaceAll("&amp;", "&"));
}
