// Client libraries that others wrote (openid-client here, Authlib in authlib_flow.py) against a running demo.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import * as client from "openid-client";
import { Agent, fetch } from "undici";
import { Demo } from "../browser/demo.mjs";

const REDIRECT = "https://app.example.test/callback";
const PYTHON = process.env.SEKISHO_PYTHON ?? new URL("../../target/oauth/bin/python", import.meta.url).pathname;

let demo, organisation, agent, token, through;
before(async () => {
  demo = await Demo.start();
  [organisation] = demo.organisations;
  const lookup = (_name, options, done) =>
    options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);
  agent = new Agent({ connect: { ca: readFileSync(join(demo.data, "authority.pem")), lookup } });
  through = (url, options) => fetch(url, { ...options, dispatcher: agent });
  ({ token } = await api("POST", "/sign-in", organisation.administrator, false));
});
after(async () => {
  await agent?.close();
  await demo?.stop();
});

async function api(method, path, body, signedIn = true) {
  const headers = { "content-type": "application/json" };
  if (signedIn) headers.authorization = `Bearer ${token}`;
  const answer = await through(`${organisation.console}/api/v1${path}`, { method, headers, body: JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

async function application(rights, more = {}) {
  const made = await api("POST", "/applications", {
    name: `test ${Math.random()}`, redirect_uris: [REDIRECT], rights, confidential: true, ...more,
  });
  await api("POST", `/applications/${made.id}/approve`, {});
  return made;
}

function configured(made, auth) {
  return client.discovery(new URL(organisation.console), made.id, undefined, auth ?? client.ClientSecretPost(made.secret), {
    algorithm: "oauth2",
    [client.customFetch]: through,
  });
}

/** What the person's browser does: opens the address, allows on the page, goes back. */
async function consented(address, decision = "allow") {
  const headers = { cookie: `__Host-sekisho=${token}`, accept: "text/html" };
  const asked = await through(address, { headers, redirect: "manual" });
  if (asked.status === 303) return new URL(asked.headers.get("location"));
  const html = await asked.text();
  assert.equal(asked.status, 200, html);
  const value = (name) => html.match(new RegExp(`name="${name}" value="([^"]+)"`))[1];
  const body = new URLSearchParams({ csrf: value("csrf"), request: value("request"), decision });
  const origin = organisation.console;
  const answered = await through(`${origin}/oauth/authorize`, {
    method: "POST", body: body.toString(),
    headers: { ...headers, origin, "content-type": "application/x-www-form-urlencoded" },
  });
  const page = await answered.text();
  assert.equal(answered.status, 200, page);
  return new URL(page.match(/url=([^"]+)"/)[1].replaceAll("&#38;", "&").replaceAll("&amp;", "&"));
}

async function authorised(config, scope, decision) {
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const address = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT, scope, state, code_challenge_method: "S256",
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
  });
  const back = await consented(address, decision);
  return client.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state });
}

const users = () => new URL(`${organisation.console}/api/v1/users`);
const call = (config, access) => client.fetchProtectedResource(config, access, users(), "GET");

test("openid-client: code with PKCE, refresh, introspection, revocation", async () => {
  const made = await application(["users.read", "sites.read"]);
  const config = await configured(made, client.ClientSecretBasic(made.secret));
  assert.equal(config.serverMetadata().issuer, organisation.console);
  const tokens = await authorised(config, "users.read");
  assert.equal(tokens.scope, "users.read");
  assert.equal((await call(config, tokens.access_token)).status, 200);
  const introspected = await client.tokenIntrospection(config, tokens.access_token);
  assert.deepEqual([introspected.active, introspected.client_id, introspected.scope], [true, made.id, "users.read"]);

  const next = await client.refreshTokenGrant(config, tokens.refresh_token);
  assert.notEqual(next.refresh_token, tokens.refresh_token);
  assert.equal((await call(config, next.access_token)).status, 200);
  await assert.rejects(call(config, tokens.access_token), "the old access token is no more");
  await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), { error: "invalid_grant" });
  await assert.rejects(client.refreshTokenGrant(config, next.refresh_token), { error: "invalid_grant" });

  const again = await authorised(config, "users.read sites.read");
  await client.tokenRevocation(config, again.refresh_token);
  await assert.rejects(call(config, again.access_token));
  assert.equal((await client.tokenIntrospection(config, again.access_token)).active, false);
});

test("openid-client: a person says no, a scope is too wide, a secret is wrong", async () => {
  const made = await application(["users.read"]);
  const config = await configured(made);
  await assert.rejects(authorised(config, "users.read", "deny"), { error: "access_denied" });
  await assert.rejects(authorised(config, "users.write"), { error: "invalid_scope" });
  const thief = await configured(made, client.ClientSecretPost("A".repeat(43)));
  await assert.rejects(authorised(thief, "users.read"), { code: "OAUTH_WWW_AUTHENTICATE_CHALLENGE" });
});

test("openid-client: a public client, and client credentials of a service account", async () => {
  const made = await application(["users.read"], { confidential: false });
  const config = await configured(made, client.None());
  const tokens = await authorised(config, "users.read");
  assert.equal((await call(config, tokens.access_token)).status, 200);

  const robot = await api("POST", "/users", { name: `robot-${Date.now()}`, type: "user", service: true });
  const machine = await application(["application.use"], { redirect_uris: [], account: robot.id });
  const own = await configured(machine);
  const granted = await client.clientCredentialsGrant(own, { scope: "application.use" });
  assert.equal(granted.refresh_token, undefined);
  const me = await client.fetchProtectedResource(own, granted.access_token, new URL(`${organisation.console}/api/v1/me`), "GET");
  assert.equal((await me.json()).user.id, robot.id);
  await assert.rejects(client.clientCredentialsGrant(config), { error: "unauthorized_client" });
});

test("Authlib: code with PKCE, refresh, revocation", async () => {
  const made = await application(["users.read"]);
  const given = { console: organisation.console, ca: join(demo.data, "authority.pem"), token, redirect: REDIRECT, id: made.id, secret: made.secret };
  const script = new URL("authlib_flow.py", import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(PYTHON, [script], { env: { ...process.env, GIVEN: JSON.stringify(given) } });
  assert.equal(stdout.trim(), "done");
});

test("python-fido2: passkeys of three algorithms, alone and beside the password", async () => {
  const { token: own } = await api("POST", "/sign-in", organisation.user, false);
  const given = { console: organisation.console, ca: join(demo.data, "authority.pem"), token: own, account: organisation.user };
  const script = new URL("passkey_flow.py", import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(PYTHON, [script], { env: { ...process.env, GIVEN: JSON.stringify(given) } });
  assert.equal(stdout.trim(), "done");
});
