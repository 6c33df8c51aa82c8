// Client libraries that others wrote (openid-client here, Authlib in authlib_flow.py) against a running demo.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import * as client from "openid-client";
import { House, REDIRECT } from "./house.mjs";

const PYTHON = process.env.SEKISHO_PYTHON ?? new URL("../../target/oauth/bin/python", import.meta.url).pathname;

let house, organisation, token, through;
before(async () => {
  house = await House.open();
  ({ organisation, token, through } = house);
});
after(() => house?.close());

const api = (method, path, body, signedIn = true) => house.api(method, path, body, signedIn ? token : "");
const application = (...given) => house.application(...given);

function configured(made, auth) {
  return client.discovery(new URL(organisation.console), made.id, undefined, auth ?? client.ClientSecretPost(made.secret), {
    algorithm: "oauth2",
    [client.customFetch]: through,
  });
}

async function authorised(config, scope, decision) {
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const address = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT, scope, state, code_challenge_method: "S256",
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
  });
  const back = await house.consented(address, decision);
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
  const given = { console: organisation.console, ca: house.authority, token, redirect: REDIRECT, id: made.id, secret: made.secret };
  const script = new URL("authlib_flow.py", import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(PYTHON, [script], { env: { ...process.env, GIVEN: JSON.stringify(given) } });
  assert.equal(stdout.trim(), "done");
});

test("python-fido2: passkeys of three algorithms, alone and beside the password", async () => {
  const { token: own } = await api("POST", "/sign-in", organisation.user, false);
  const given = { console: organisation.console, ca: house.authority, token: own, account: organisation.user };
  const script = new URL("passkey_flow.py", import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(PYTHON, [script], { env: { ...process.env, GIVEN: JSON.stringify(given) } });
  assert.equal(stdout.trim(), "done");
});
