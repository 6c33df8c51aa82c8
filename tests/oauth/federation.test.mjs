// A real OpenID provider (npm's oidc-provider) signs people in at a running demo, and out again. The provider and the name
// server are on loopback, which the demo's policy has to open.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import https from "node:https";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Provider } from "oidc-provider";
import { Agent, fetch } from "undici";
import { Demo } from "../browser/demo.mjs";

const CLIENT = "sekisho-test";
const SECRET = "a secret/with+everything";
const scratch = mkdtempSync(join(tmpdir(), "sekisho-federation-"));
const texts = new Map();
let demo, organisation, other, agent, admin, server, names, issuer, callback;

before(async () => {
  demo = await Demo.start();
  [organisation, other] = demo.organisations;
  const file = (name) => join(scratch, name);
  const openssl = (...args) => execFileSync("openssl", args, { stdio: "ignore" });
  openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test authority",
    "-keyout", file("ca.key"), "-out", file("ca.pem"), "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign");
  openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost", "-keyout", file("idp.key"), "-out", file("idp.csr"));
  writeFileSync(file("ext"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n");
  openssl("x509", "-req", "-in", file("idp.csr"), "-CA", file("ca.pem"), "-CAkey", file("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", file("ext"), "-out", file("idp.pem"));
  const lookup = (_name, options, done) =>
    options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);
  agent = new Agent({ connect: { ca: [readFileSync(join(demo.data, "authority.pem")), readFileSync(file("ca.pem"))], lookup } });

  server = https.createServer({ key: readFileSync(file("idp.key")), cert: readFileSync(file("idp.pem")) }, (request, response) => callback(request, response));
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  issuer = `https://localhost:${server.address().port}`;
  names = net.createServer(resolve);
  await new Promise((done) => names.listen(0, "127.0.0.1", done));

  const policy = join(demo.data, "..", "policy.toml");
  const written = (path) => { try { return readFileSync(path, "utf8"); } catch { return null; } };
  const path = written(policy) === null ? join(demo.data, "policy.toml") : policy;
  appendFileSync(path, `
[egress]
allow = ["127.0.0.0/8", "::1/128"]
authorities = "${file("ca.pem")}"
resolver = "127.0.0.1:${names.address().port}"
`);
  demo.command("reload");
  admin = await api("POST", "/sign-in", organisation.administrator, "");
});
after(async () => {
  server?.closeAllConnections();
  server?.close();
  names?.close();
  await agent?.close();
  await demo?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

/** A resolver that knows TXT records, over TCP. */
function resolve(socket) {
  socket.once("data", (message) => {
    let at = 14, labels = [];
    while (message[at]) { labels.push(message.subarray(at + 1, at + 1 + message[at]).toString()); at += 1 + message[at]; }
    const found = texts.get(labels.join(".")) ?? [];
    const head = Buffer.from(message.subarray(2, at + 5));
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(found.length, 6);
    const records = found.map((text) => Buffer.concat([
      Buffer.from([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, text.length + 1, text.length]), Buffer.from(text)]));
    const answer = Buffer.concat([head, ...records]);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(answer.length);
    socket.end(Buffer.concat([length, answer]));
  });
}

async function api(method, path, body, token = admin.token, version) {
  const headers = { "content-type": "application/json", "accept-language": "en" };
  if (token) headers.authorization = `Bearer ${token}`;
  if (version) headers["if-match"] = `"${version}"`;
  const answer = await fetch(`${organisation.console}/api/v1${path}`, { method, headers, dispatcher: agent, body: body && JSON.stringify(body) });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

/** A person's browser: cookies of each host, redirects and the console's leading pages followed. */
class Browser {
  jar = new Map();
  async send(url, { method = "GET", form } = {}) {
    const host = new URL(url).host;
    const own = this.jar.get(host) ?? new Map();
    this.jar.set(host, own);
    const headers = { accept: "text/html", "accept-language": "en", cookie: [...own].map(([n, v]) => `${n}=${v}`).join("; ") };
    if (form) Object.assign(headers, { "content-type": "application/x-www-form-urlencoded", origin: new URL(url).origin });
    const answer = await fetch(url, { method, headers, redirect: "manual", dispatcher: agent, body: form && new URLSearchParams(form).toString() });
    this.keep(own, answer);
    return { url, status: answer.status, to: answer.headers.get("location"), text: await answer.text() };
  }
  keep(own, answer) {
    for (const line of answer.headers.getSetCookie()) {
      const [pair, ...rest] = line.split(";");
      const cut = pair.indexOf("=");
      const gone = rest.some((r) => /max-age=0|expires=thu, 01 jan 1970/i.test(r.trim()));
      if (gone) own.delete(pair.slice(0, cut)); else own.set(pair.slice(0, cut), pair.slice(cut + 1));
    }
  }
  async follow(url, options) {
    let got = await this.send(url, options);
    for (let n = 0; n < 20; n++) {
      const leads = got.to ?? got.text.match(/http-equiv="refresh" content="0;url=([^"]+)"/)?.[1]?.replaceAll("&#38;", "&").replaceAll("&amp;", "&");
      if (!leads) return got;
      got = await this.send(new URL(leads, got.url).href);
    }
    throw new Error("no end of redirects");
  }
  /** Submits the one form of a page of the provider's. */
  submit(page, fields) {
    const action = page.text.match(/<form[^>]* action="([^"]+)"/)[1];
    return this.follow(new URL(action, page.url).href, { method: "POST", form: fields });
  }
  csrf(page) {
    return page.text.match(/name="csrf" value="([^"]+)"/)[1];
  }
  /** A call of a page's script. */
  async json(path, body) {
    const host = new URL(organisation.console).host;
    const own = this.jar.get(host) ?? new Map();
    this.jar.set(host, own);
    const headers = { "content-type": "application/json", "accept-language": "en", origin: organisation.console, cookie: [...own].map(([n, v]) => `${n}=${v}`).join("; ") };
    if (this.session) headers["x-csrf-token"] = this.csrf(await this.send(`${organisation.console}/account`));
    const answer = await fetch(`${organisation.console}/api/v1${path}`, { method: "POST", headers, dispatcher: agent, body: JSON.stringify(body) });
    this.keep(own, answer);
    return { status: answer.status, told: await answer.json() };
  }
  get session() {
    return this.jar.get(new URL(organisation.console).host)?.get("__Host-sekisho");
  }
  me() {
    return api("GET", "/me", undefined, this.session);
  }
  /** From the sign-in page to the provider. */
  async leave(provider) {
    const page = await this.follow(`${organisation.console}/sign-in`);
    return this.follow(`${organisation.console}/sign-in/provider`, { method: "POST", form: { csrf: this.csrf(page), provider } });
  }
  /** What a person does at the provider, up to where it sends them back. */
  async atProvider(page, login) {
    if (page.text.includes('name="login"')) page = await this.submit(page, { prompt: "login", login, password: "any" });
    if (page.text.includes('value="consent"')) page = await this.submit(page, { prompt: "consent" });
    return page;
  }
}

/** A security key without attestation (WebAuthn Level 3 §6.5): one credential, whose signatures it counts. */
class Key {
  #pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  #id = randomBytes(32);
  #count = 0;
  constructor(origin) { this.origin = origin; }
  #client(type, challenge) {
    return Buffer.from(JSON.stringify({ type, challenge, origin: this.origin, crossOrigin: false }));
  }
  #data(rpId, flags, more = []) {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(++this.#count);
    return Buffer.concat([createHash("sha256").update(rpId).digest(), Buffer.from([flags]), count, ...more]);
  }
  #told(response) {
    return { id: this.#id.toString("base64url"), rawId: this.#id.toString("base64url"), type: "public-key", response, clientExtensionResults: {} };
  }
  create({ challenge, rp }) {
    const { x, y } = this.#pair.publicKey.export({ format: "jwk" });
    const cose = Buffer.concat([Buffer.from("a5010203262001215820", "hex"), Buffer.from(x, "base64url"), Buffer.from("225820", "hex"), Buffer.from(y, "base64url")]);
    const data = this.#data(rp.id, 0x45, [Buffer.alloc(16), Buffer.from([0, this.#id.length]), this.#id, cose]);
    const object = Buffer.concat([Buffer.from("a363666d74646e6f6e656761747453746d74a068617574684461746158", "hex"), Buffer.from([data.length]), data]);
    return this.#told({ clientDataJSON: this.#client("webauthn.create", challenge).toString("base64url"), attestationObject: object.toString("base64url"), transports: ["usb"] });
  }
  get({ challenge, rpId }, userHandle) {
    const [client, data] = [this.#client("webauthn.get", challenge), this.#data(rpId, 0x05)];
    const signature = sign("sha256", Buffer.concat([data, createHash("sha256").update(client).digest()]), this.#pair.privateKey);
    const text = (bytes) => bytes.toString("base64url");
    return this.#told({ clientDataJSON: text(client), authenticatorData: text(data), signature: text(signature), userHandle });
  }
}

const keys = Object.fromEntries([
  ["RS256", generateKeyPairSync("rsa", { modulusLength: 2048 })],
  ["ES256", generateKeyPairSync("ec", { namedCurve: "P-256" })],
  ["EdDSA", generateKeyPairSync("ed25519")],
].map(([alg, pair]) => [alg, { ...pair.privateKey.export({ format: "jwk" }), use: "sig", kid: `key-${alg}` }]));

/** Registers a provider at the console, and us at a new instance of it. */
async function registered(settings, client = {}, set = Object.values(keys)) {
  const made = await api("POST", "/providers", { name: `IdP ${Math.random()}`, issuer, client_id: CLIENT, client_secret: SECRET });
  serve(made.id, client, set);
  return api("PATCH", `/providers/${made.id}`, { enabled: true, ...settings }, admin.token, made.version);
}

function serve(id, client, set) {
  const provider = new Provider(issuer, {
    clients: [{
      client_id: CLIENT, client_secret: SECRET, response_types: ["code"], grant_types: ["authorization_code"],
      redirect_uris: [`${organisation.console}/federation/${id}/callback`],
      backchannel_logout_uri: `${organisation.console}/federation/${id}/logout`, backchannel_logout_session_required: true,
      post_logout_redirect_uris: [`${organisation.console}/sign-in`], ...client,
    }],
    pkce: { required: () => true },
    cookies: { keys: ["test"] },
    jwks: { keys: set },
    scopes: ["openid", "profile", "email", "groups"],
    claims: { profile: ["name", "preferred_username"], email: ["email", "email_verified"], groups: ["groups"] },
    conformIdTokenClaims: false,
    enabledJWA: { idTokenSigningAlgValues: ["RS256", "PS256", "ES256", "EdDSA", "HS256"] },
    features: { devInteractions: { enabled: true }, backchannelLogout: { enabled: true }, rpInitiatedLogout: { enabled: true } },
    findAccount: (_ctx, sub) => ({
      accountId: sub,
      claims: () => ({ sub, name: `${sub} of the provider`, preferred_username: sub, email: `${sub}@example.jp`, email_verified: true, groups: ["audit"] }),
    }),
    ttl: { Interaction: 600, Session: 3600, Grant: 3600 },
    fetch: (url, options) => fetch(url, { ...options, dispatcher: agent }),
  });
  callback = provider.callback();
  return provider;
}

const person = () => `p${Math.random().toString(36).slice(2, 10)}`;

test("oidc-provider: an account is made, roles follow the claims, the provider signs out", async () => {
  const role = await api("POST", "/roles", { name: `auditor ${Math.random()}`, rights: ["history.read"] });
  const provider = await registered({ create_users: true, scopes: ["profile", "email", "groups"], rules: [{ claim: "groups", value: "audit", role: role.id }] });
  const tried = await api("POST", `/providers/${provider.id}/test`, {});
  assert.deepEqual([tried.good, tried.checks.map((c) => c.name)], [true, ["discovery", "keys", "client"]], JSON.stringify(tried));
  assert.match(tried.checks[2].says.en, /takes the client id/);

  const hanako = person(), browser = new Browser();
  const page = await browser.atProvider(await browser.leave(provider.id), hanako);
  assert.equal(page.status, 200, page.text);
  const me = await browser.me();
  assert.deepEqual([me.user.name, me.user.display_name, me.user.mail], [hanako, `${hanako} of the provider`, `${hanako}@example.jp`]);
  assert.ok(me.rights.includes("history.read"));
  const again = new Browser();
  await again.atProvider(await again.leave(provider.id), hanako);
  assert.equal((await again.me()).user.id, me.user.id, "the same subject is the same person");

  const ending = await browser.follow(`${issuer}/session/end`);
  await browser.submit(ending, { xsrf: ending.text.match(/name="xsrf" value="([^"]+)"/)[1], logout: "yes" });
  await assert.rejects(browser.me(), /401/, "that session has ended here");
  assert.equal((await again.me()).user.id, me.user.id, "another one of the provider's goes on");
});

for (const alg of ["RS256", "PS256", "ES256", "EdDSA"]) {
  test(`oidc-provider: ID tokens in ${alg}`, async () => {
    const provider = await registered({ create_users: true, userinfo: true }, { id_token_signed_response_alg: alg });
    const browser = new Browser(), who = person();
    await browser.atProvider(await browser.leave(provider.id), who);
    assert.equal((await browser.me()).user.name, who);
  });
}

test("oidc-provider: ID tokens in HS256 are refused, and the history says why", async () => {
  const provider = await registered({ create_users: true }, { id_token_signed_response_alg: "HS256" });
  const browser = new Browser();
  const page = await browser.atProvider(await browser.leave(provider.id), person());
  assert.equal(page.status, 401);
  assert.match(page.text, /could not be confirmed/);
  assert.equal(browser.session, undefined);
  const { entries } = await api("GET", `/history?action=session.sign_in&target=${provider.id}`);
  assert.equal(entries[0].detail.reason, "token-algorithm");
});

test("oidc-provider: its keys change", async () => {
  const provider = await registered({ create_users: true }, { id_token_signed_response_alg: "ES256" });
  const browser = new Browser();
  await browser.atProvider(await browser.leave(provider.id), person());
  const next = { ...generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" }), use: "sig", kid: "next" };
  serve(provider.id, { id_token_signed_response_alg: "ES256" }, [next, keys.RS256]);
  // Within the minute of the last look there is no other; the test of the connection looks at once.
  const early = new Browser();
  assert.equal((await early.atProvider(await early.leave(provider.id), person())).status, 401);
  await api("POST", `/providers/${provider.id}/test`, {});
  const late = new Browser(), who = person();
  await late.atProvider(await late.leave(provider.id), who);
  assert.equal((await late.me()).user.name, who);
});

test("oidc-provider: a wrong secret is found by the test and refused at the sign-in", async () => {
  const provider = await registered({ create_users: true }, { client_secret: "another" });
  const tried = await api("POST", `/providers/${provider.id}/test`, {});
  assert.equal(tried.good, false);
  assert.match(tried.checks.find((c) => !c.good).says.en, /refuses the client id or its secret/);
  const browser = new Browser();
  assert.equal((await browser.atProvider(await browser.leave(provider.id), person())).status, 401);
});

test("an existing account is linked by whoever is signed in to it, and by nobody else", async () => {
  const name = person(), password = "Kansuiro-no-Banya-1601";
  await api("POST", "/users", { name, type: "user", password });
  const provider = await registered({ create_users: true });
  const thief = new Browser();
  const refused = await thief.atProvider(await thief.leave(provider.id), name);
  assert.equal(refused.status, 403);
  assert.match(refused.text, /There is an account of this name already/);
  assert.equal(thief.session, undefined);

  const browser = new Browser();
  const page = await browser.follow(`${organisation.console}/sign-in`);
  await browser.follow(`${organisation.console}/sign-in`, { method: "POST", form: { csrf: browser.csrf(page), name, password } });
  const own = await browser.follow(`${organisation.console}/account/identities`);
  const there = await browser.follow(`${organisation.console}/account/identities`, { method: "POST", form: { csrf: browser.csrf(own), provider: provider.id } });
  const linked = await browser.atProvider(there, name);
  assert.match(linked.text, /The identity provider is linked/);
  const fresh = new Browser();
  await fresh.atProvider(await fresh.leave(provider.id), name);
  assert.equal((await fresh.me()).user.name, name);
});

test("oidc-provider: whoever has no password confirms there, and registers a first passkey", async () => {
  const provider = await registered({ create_users: true });
  const hanako = person(), browser = new Browser(), account = `${organisation.console}/account`;
  await browser.atProvider(await browser.leave(provider.id), hanako);
  const own = (await browser.me()).user.id;
  const confirm = async () => {
    const page = await browser.follow(account);
    assert.match(page.text, /sign in anew at your identity provider/);
    const there = await browser.follow(`${account}/confirm`, { method: "POST", form: { csrf: browser.csrf(page), provider: provider.id } });
    assert.match(there.text, /name="login"/, "the provider asks again, although it knows the person");
    return there;
  };
  const options = () => browser.json("/me/passkeys/options", {});
  assert.deepEqual((await options()).told.code, "SK-4203");
  // Somebody else, whom the provider does not take to be a change of person there.
  const known = browser.jar.get(new URL(issuer).host);
  browser.jar.delete(new URL(issuer).host);
  const wrong = await browser.atProvider(await confirm(), person());
  assert.equal(wrong.status, 403);
  assert.match(wrong.text, /not the identity that is linked/);

  browser.jar.set(new URL(issuer).host, known);
  const right = await browser.atProvider(await confirm(), hanako);
  assert.equal(right.status, 200, right.text);
  assert.match(right.text, /has confirmed that it is you/);
  assert.doesNotMatch(right.text, /data-passkey="create"[^]*name="password"[^]*data-said/, "no password is asked for");
  const begun = await options();
  assert.equal(begun.status, 200, JSON.stringify(begun.told));
  assert.equal((await options()).told.code, "SK-4203", "it is good once");
  const key = new Key(organisation.console);
  const made = await browser.json("/me/passkeys", { ceremony: begun.told.ceremony, name: "Key ring", credential: key.create(begun.told.public_key) });
  assert.equal(made.status, 201, JSON.stringify(made.told));

  const fresh = new Browser();
  await fresh.follow(`${organisation.console}/sign-in`);
  const asked = await fresh.json("/sign-in/passkey/options", {});
  const answer = { ceremony: asked.told.ceremony, credential: key.get(asked.told.public_key, begun.told.public_key.user.id) };
  const came = await fresh.json("/sign-in/passkey", answer);
  assert.deepEqual([came.status, came.told.user?.id], [200, own], JSON.stringify(came.told));
  const { entries } = await api("GET", `/history?action=session.reauthenticate&target=${own}`);
  assert.ok(entries.some((e) => e.outcome === "success" && e.detail.provider === provider.id && e.detail.for === "passkey"), JSON.stringify(entries));
});

test("a mail domain leads to the provider once DNS or the operator says so, for one organisation", async () => {
  const provider = await registered({ create_users: true, button: false });
  const domain = `${person()}.example`;
  const made = await api("POST", "/mail-domains", { domain, provider: provider.id });
  const enter = async () => {
    const browser = new Browser();
    const page = await browser.follow(`${organisation.console}/sign-in`);
    return browser.follow(`${organisation.console}/sign-in/mail`, { method: "POST", form: { csrf: browser.csrf(page), mail: `hanako@${domain}` } });
  };
  assert.match((await enter()).text, /No identity provider belongs to this mail address/);
  await assert.rejects(api("POST", `/mail-domains/${made.id}/verify`, {}), /has no TXT record/);
  texts.set(made.record_name, ["v=spf1 -all", made.record_value]);
  assert.ok((await api("POST", `/mail-domains/${made.id}/verify`, {})).verified_at);
  assert.match((await enter()).url, new RegExp(`^${issuer}/interaction/`));

  const tenants = demo.command("tenant", "list").split("\n");
  const idOf = (console) => tenants.find((l) => l.includes(new URL(console).hostname)).split(" ")[0];
  const second = await api("POST", "/mail-domains", { domain: `op.${domain}`, provider: provider.id });
  assert.match(demo.command("domain", "verify", "--tenant", idOf(organisation.console), "--domain", second.domain), /controlled/);
  assert.throws(() => demo.command("domain", "verify", "--tenant", idOf(other.console), "--domain", domain), /SK-0003/);
});

test("an administrator is told what is wrong with an address", async () => {
  for (const [address, said] of [
    ["https://10.0.0.1", /is not public/],
    ["https://localhost:1", /port is not asked/],
    [`https://localhost:${new URL(organisation.console).port}`, /TLS cannot be set up/],
    ["https://no-such-host.invalid", /leads nowhere/],
    [`${issuer}/elsewhere`, /status 404/],
  ]) {
    const made = await api("POST", "/providers", { name: `bad ${Math.random()}`, issuer: address, client_id: "x" });
    const tried = await api("POST", `/providers/${made.id}/test`, {});
    assert.equal(tried.good, false);
    assert.match(tried.checks[0].says.en, said);
    await api("DELETE", `/providers/${made.id}`);
  }
});
