// A receiver of security signals that trusts nothing of ours: it reads each token with npm's jose, by what the well-known
// configuration says. The receiver is on loopback, which the demo's policy has to open.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createLocalJWKSet, jwtVerify } from "jose";
import { Agent, fetch } from "undici";
import { Demo } from "../browser/demo.mjs";
import { Outside } from "./outside.mjs";

const TOKEN = "the-receivers-own-token";
const AUDIENCE = "https://receiver.example/";
const CAEP = "https://schemas.openid.net/secevent/caep/event-type/";
const SSF = "https://schemas.openid.net/secevent/ssf/event-type/";
const got = [];
let demo, organisation, other, agent, admin, outside, origin, answers = [];

before(async () => {
  demo = await Demo.start();
  [organisation, other] = demo.organisations;
  const lookup = (_name, options, done) =>
    options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);
  agent = new Agent({ connect: { ca: readFileSync(join(demo.data, "authority.pem")), lookup } });
  outside = new Outside(demo);
  origin = await outside.serve(receive);
  admin = await signIn(organisation.administrator);
});
after(async () => {
  outside?.close();
  await agent?.close();
  await demo?.stop();
});

function receive(request, response) {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    got.push({ method: request.method, headers: request.headers, body: Buffer.concat(chunks).toString() });
    response.writeHead(answers.shift() ?? 202).end();
  });
}

async function api(method, path, body, token = admin, version) {
  const headers = { "content-type": "application/json", "accept-language": "en" };
  if (token) headers.authorization = `Bearer ${token}`;
  if (version) headers["if-match"] = `"${version}"`;
  const answer = await fetch(`${organisation.console}/api/v1${path}`, { method, headers, dispatcher: agent, body: body && JSON.stringify(body) });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

const signIn = async ({ name, password }) => (await api("POST", "/sign-in", { name, password }, null)).token;
const metadata = async (console, path) => (await fetch(`${console}${path}`, { dispatcher: agent })).json();

/** The next token that comes, as the receiver reads it. */
async function next(from) {
  for (let n = 0; n < 200 && got.length <= from; n++) await new Promise((done) => setTimeout(done, 100));
  const { method, headers, body } = got[from];
  assert.deepEqual([method, headers["content-type"], headers.authorization], ["POST", "application/secevent+jwt", `Bearer ${TOKEN}`]);
  const configuration = await metadata(organisation.console, "/.well-known/ssf-configuration");
  const keys = createLocalJWKSet(await metadata("", configuration.jwks_uri));
  const read = await jwtVerify(body, keys, { issuer: configuration.issuer, audience: AUDIENCE, typ: "secevent+jwt", algorithms: ["RS256"] });
  assert.equal(read.payload.exp, undefined);
  return read.payload;
}

test("a receiver is registered, tried, and told of sessions and credentials until it takes what it is told", async () => {
  const url = `${origin}/events`;
  const events = ["session-revoked", "credential-change"];
  const receiver = await api("POST", "/signal-receivers", { name: "SIEM", url, audience: AUDIENCE, token: TOKEN, events });
  assert.equal(JSON.stringify(receiver).includes(TOKEN), false);
  const configuration = await metadata(organisation.console, "/.well-known/ssf-configuration");
  assert.deepEqual([configuration.issuer, configuration.spec_version, configuration.delivery_methods_supported], [organisation.console, "1_0", ["urn:ietf:rfc:8935"]]);

  const tried = await api("POST", `/signal-receivers/${receiver.id}/test`, {});
  assert.equal(tried.good, true, JSON.stringify(tried));
  const verification = await next(0);
  assert.deepEqual(verification.events, { [`${SSF}verification`]: {} });
  assert.deepEqual(verification.sub_id, { format: "opaque", id: receiver.id });

  const person = { name: "shinobu", password: "Kansuiro-no-Banya-1601" };
  const user = await api("POST", "/users", { ...person, type: "user", mail: "shinobu@example.test" });
  const session = await signIn(person);
  const password = "Tsurugizaki-no-Akari-1859";
  await api("PUT", "/me/password", { current: person.password, new: password }, session);
  const changed = await next(1);
  assert.deepEqual(changed.sub_id, { format: "iss_sub", iss: organisation.console, sub: user.id });
  const how = changed.events[`${CAEP}credential-change`];
  assert.deepEqual([how.credential_type, how.change_type, how.initiating_entity], ["password", "update", "user"]);
  person.password = password;
  await api("DELETE", `/users/${user.id}/sessions`);
  const revoked = await next(2);
  assert.equal(revoked.events[`${CAEP}session-revoked`].initiating_entity, "admin");
  assert.equal(revoked.sub_id.format, "complex");
  assert.deepEqual(revoked.sub_id.user, { format: "iss_sub", iss: organisation.console, sub: user.id });
  await assert.rejects(api("GET", "/me", undefined, session));

  // It is away for a moment, and nothing is lost: the very same event comes again.
  answers = [503];
  await api("PATCH", `/signal-receivers/${receiver.id}`, { subject: "email" }, admin, receiver.version);
  await signIn(person);
  await api("DELETE", `/users/${user.id}/sessions`);
  const first = await next(3), again = await next(4);
  assert.equal(first.jti, again.jti);
  assert.deepEqual(again.sub_id.user, { format: "email", email: "shinobu@example.test" });
  let seen;
  for (let n = 0; n < 50 && seen?.waiting !== 0; n++) seen = await api("GET", `/signal-receivers/${receiver.id}`);
  assert.deepEqual([seen.waiting, seen.failing, seen.dropped], [0, 0, 0]);
  const history = (await api("GET", "/history?action=signal.send&limit=50")).entries.map((e) => e.outcome);
  assert.deepEqual([history.filter((r) => r === "success").length, history.filter((r) => r === "failed").length], [3, 1]);

  // Another organisation's keys are its own, and it sees nothing of this one's receivers.
  const theirs = await metadata(other.console, "/.well-known/ssf-configuration");
  assert.equal(theirs.issuer, other.console);
  assert.deepEqual((await metadata("", theirs.jwks_uri)).keys, []);
});

test("an address inside, or not https, is refused or not asked", async () => {
  const events = ["session-revoked"];
  await assert.rejects(api("POST", "/signal-receivers", { name: "plain", url: "http://siem.example/", events }), /400|422/);
  const made = await api("POST", "/signal-receivers", { name: "inside", url: "https://10.0.0.1/", events });
  const tried = await api("POST", `/signal-receivers/${made.id}/test`, {});
  assert.equal(tried.good, false);
  assert.match(tried.checks[0].says.en, /is not public/);
});
