// nanoidp, an OpenID provider in Python, signs people in at a running demo. It speaks plain HTTP; what stands in front of it is the
// test's own TLS.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Agent, fetch, request } from "undici";
import { House } from "./house.mjs";
import { Outside } from "./outside.mjs";

const PYTHON = process.env.SEKISHO_PYTHON ?? new URL("../../target/oauth/bin/python", import.meta.url).pathname;
const SECRET = "a-secret-of-ours";
const scratch = mkdtempSync(join(tmpdir(), "sekisho-nanoidp-"));
let house, outside, issuer, agent, running, port, provider, atToken;

before(async () => {
  house = await House.open();
  outside = new Outside(house.demo);
  port = await new Promise((done) => {
    const probe = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
  // An answer comes whatever happens behind: a connection that is left open would be waited for.
  issuer = await outside.serve((asked, answered) => behind(asked, answered).catch((why) => answered.writeHead(502).end(String(why))));
  const lookup = (_name, options, done) =>
    options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);
  agent = new Agent({ connect: { ca: [readFileSync(house.authority), readFileSync(join(outside.scratch, "ca.pem"))], lookup } });
});
after(async () => {
  await stop();
  await agent?.close();
  outside?.close();
  await house?.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** One request, as nanoidp answers it; `atToken` may put another answer in the place of its token endpoint's. */
async function behind(asked, answered) {
  const chunks = [];
  for await (const chunk of asked) chunks.push(chunk);
  const headers = { ...asked.headers };
  for (const name of ["host", "connection", "content-length", "transfer-encoding", "expect"]) delete headers[name];
  const body = chunks.length ? Buffer.concat(chunks) : undefined;
  const got = await request(`http://127.0.0.1:${port}${asked.url}`, { method: asked.method, headers, body, reset: true });
  const { connection: _c, "keep-alive": _k, "transfer-encoding": _t, "content-length": _l, ...back } = got.headers;
  const whole = { status: got.statusCode, headers: back, body: Buffer.from(await got.body.arrayBuffer()) };
  const told = (asked.url === "/token" && atToken?.(whole)) || whole;
  answered.writeHead(told.status, told.headers).end(told.body);
}

/** Starts nanoidp, which knows us and two people, with keys of its own making in `keys`. */
async function start(keys) {
  writeFileSync(join(scratch, "settings.yaml"), `
config_version: 1
server: { host: "127.0.0.1", port: ${port} }
oauth:
  issuer: "${issuer}"
  audience: "sekisho"
  clients: [{ client_id: "sekisho", client_secret: "${SECRET}", redirect_uris: ["${house.console}/federation/${provider.id}/callback"] }]
jwt: { keys_dir: "${join(scratch, keys)}" }
`);
  writeFileSync(join(scratch, "users.yaml"), `
config_version: 1
users:
  kaede: { password: "first", email: "kaede@example.jp", roles: ["USER", "AUDITOR"] }
  momiji: { password: "second", email: "momiji@example.jp", roles: ["USER"] }
`);
  const child = spawn(PYTHON, ["-m", "nanoidp", "--config", scratch, "--port", String(port), "--profile", "oauth21"], { cwd: scratch, stdio: ["ignore", "ignore", "pipe"] });
  running = child;
  let said = "";
  child.stderr.on("data", (chunk) => { said = (said + chunk).slice(-4_000); });
  for (let n = 0; n < 300 && child.exitCode === null; n++) {
    const up = await fetch(`${issuer}/.well-known/openid-configuration`, { dispatcher: agent }).catch(() => null);
    if (up?.ok) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`nanoidp does not start: ${said}`);
}

async function stop() {
  if (!running || running.exitCode !== null) return;
  const ended = new Promise((done) => running.once("exit", done));
  running.kill("SIGTERM");
  await ended;
}

/** A person's browser: cookies of each host, redirects and the console's leading pages followed. */
class Browser {
  jar = new Map();
  async open(url, form) {
    for (let n = 0; n < 20; n++) {
      const { host, origin } = new URL(url);
      if (!this.jar.has(host)) this.jar.set(host, new Map());
      const own = this.jar.get(host);
      const headers = { accept: "text/html", "accept-language": "en", cookie: [...own].map((pair) => pair.join("=")).join("; ") };
      if (form) Object.assign(headers, { "content-type": "application/x-www-form-urlencoded", origin });
      const got = await fetch(url, { method: form ? "POST" : "GET", headers, redirect: "manual", dispatcher: agent, body: form && new URLSearchParams(form).toString() });
      for (const line of got.headers.getSetCookie()) {
        const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
        if (/max-age=0/i.test(line)) own.delete(name); else own.set(name, value);
      }
      const text = await got.text();
      const leads = got.headers.get("location") ?? text.match(/http-equiv="refresh" content="0;url=([^"]+)"/)?.[1]?.replaceAll("&#38;", "&").replaceAll("&amp;", "&");
      if (!leads) return { url, status: got.status, text };
      [url, form] = [new URL(leads, url).href, undefined];
      this.been = url;
    }
    throw new Error("no end of redirects");
  }
  field(page, name) {
    return page.text.match(new RegExp(`name="${name}" value="([^"]+)"`))[1];
  }
  /** From our sign-in page to nanoidp's. */
  async leave() {
    const page = await this.open(`${house.console}/sign-in`);
    const there = await this.open(`${house.console}/sign-in/provider`, { csrf: this.field(page, "csrf"), provider: provider.id });
    assert.equal(new URL(there.url).origin, issuer, there.text);
    return there;
  }
  /** The same, and back. */
  async signIn(username, password) {
    const there = await this.leave();
    return this.open(there.url, { transaction_id: this.field(there, "transaction_id"), username, password });
  }
  get session() {
    return this.jar.get(new URL(house.console).host)?.get("__Host-sekisho");
  }
  me() {
    return asked("GET", "/me", undefined, { token: this.session });
  }
}

async function asked(method, path, body, { version, token = house.token } = {}) {
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}`, ...(version && { "if-match": `"${version}"` }) };
  const answer = await house.through(`${house.console}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

/** Why sign-ins by the provider were not taken. */
async function refusals() {
  const { entries } = await asked("GET", `/history?action=session.sign_in&target=${provider.id}`);
  return entries.map((entry) => entry.detail.reason).sort();
}

const tried = () => asked("POST", `/providers/${provider.id}/test`, {});

test("nanoidp: connected and tried", async () => {
  const role = await asked("POST", "/roles", { name: "auditor by nanoidp", rights: ["history.read"] });
  provider = await asked("POST", "/providers", { name: "nanoidp", issuer, client_id: "sekisho", client_secret: SECRET });
  assert.equal((await tried()).good, false, "nobody is there yet");
  await start("keys");
  const found = await tried();
  assert.deepEqual([found.good, found.checks.map((c) => c.name)], [true, ["discovery", "keys", "client"]], JSON.stringify(found));
  const settings = { enabled: true, create_users: true, userinfo: true, scopes: ["profile", "email"], rules: [{ claim: "roles", value: "AUDITOR", role: role.id }] };
  provider = await asked("PATCH", `/providers/${provider.id}`, settings, { version: provider.version });
});

test("nanoidp: people are made as they come in, and a claim gives a role", async () => {
  const browser = new Browser();
  const there = await browser.leave();
  const query = new URL(there.url).searchParams;
  assert.deepEqual([query.get("response_type"), query.get("code_challenge_method")], ["code", "S256"]);
  assert.ok(query.get("nonce") && query.get("code_challenge"));
  const back = await browser.open(there.url, { transaction_id: browser.field(there, "transaction_id"), username: "kaede", password: "first" });
  assert.equal(back.status, 200, back.text);
  const me = await browser.me();
  assert.deepEqual([me.user.name, me.user.type, me.rights.includes("history.read")], ["kaede", "user", true]);

  const again = new Browser();
  await again.signIn("kaede", "first");
  assert.equal((await again.me()).user.id, me.user.id, "the same subject is the same person");
  const other = new Browser();
  await other.signIn("momiji", "second");
  const second = await other.me();
  assert.notEqual(second.user.id, me.user.id);
  assert.ok(!second.rights.includes("history.read"), "no role without the claim");

  const wrong = new Browser();
  const stays = await wrong.signIn("kaede", "second");
  assert.equal(new URL(stays.url).origin, issuer, "nanoidp keeps whoever it does not know");
  assert.equal(wrong.session, undefined);
});

test("nanoidp: asked by the API, a fresh sign-in lets a first passkey be registered", async () => {
  const browser = new Browser();
  await browser.signIn("momiji", "second");
  const csrf = browser.field(await browser.open(`${house.console}/account`), "csrf");
  const script = async (path, body) => {
    const own = browser.jar.get(new URL(house.console).host);
    const headers = { "content-type": "application/json", origin: house.console, "x-csrf-token": csrf, cookie: [...own].map((pair) => pair.join("=")).join("; ") };
    const got = await fetch(`${house.console}/api/v1${path}`, { method: "POST", headers, dispatcher: agent, body: JSON.stringify(body) });
    for (const line of got.headers.getSetCookie()) own.set(...line.match(/^([^=]+)=([^;]*)/).slice(1));
    return { status: got.status, told: await got.json() };
  };
  const { status, told } = await script("/me/reauthenticate/provider", { provider: provider.id });
  assert.equal(status, 200, JSON.stringify(told));
  const query = new URL(told.to).searchParams;
  assert.deepEqual([query.get("prompt"), query.get("max_age"), told.fields], ["login", "0", {}]);
  const there = await browser.open(told.to);
  const back = await browser.open(there.url, { transaction_id: browser.field(there, "transaction_id"), username: "momiji", password: "second" });
  assert.match(back.text, /has confirmed that it is you/);
  assert.equal((await script("/me/passkeys/options", {})).status, 200);
  assert.equal((await script("/me/passkeys/options", {})).told.code, "SK-4203", "it is good once");
});

test("nanoidp: a token of the keys before is refused, one of the new keys is taken", async () => {
  // nanoidp signs a token for this sign-in, which does not reach us yet.
  let signed;
  atToken = (told) => {
    [signed, atToken] = [told, undefined];
    return { status: 503, headers: {}, body: "" };
  };
  const late = new Browser();
  const there = await late.leave();
  const carried = new Map(late.jar.get(new URL(house.console).host));
  const form = { transaction_id: late.field(there, "transaction_id"), username: "kaede", password: "first" };
  await late.open(there.url, form);
  const callback = late.been;
  assert.match(callback, new RegExp(`^${house.console}/federation/${provider.id}/callback\\?`));
  assert.deepEqual([signed.status, late.session], [200, undefined]);

  await stop();
  await start("other-keys");
  assert.equal((await tried()).good, true);
  atToken = () => signed;
  late.jar.set(new URL(house.console).host, carried);
  const page = await late.open(callback);
  assert.deepEqual([page.status, late.session], [401, undefined]);
  assert.deepEqual(await refusals(), ["code-refused", "token-key-unknown"]);

  atToken = undefined;
  const next = new Browser();
  await next.signIn("kaede", "first");
  assert.equal((await next.me()).user.name, "kaede");
});
