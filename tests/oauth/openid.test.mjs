// People sign in to applications by client libraries that others wrote: openid-client and oidc-client-ts.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { InMemoryWebStorage, OidcClient, WebStorageStateStore } from "oidc-client-ts";
import * as client from "openid-client";
import { House, REDIRECT, onward } from "./house.mjs";

const BYE = "https://app.example.test/bye";
const LOGIN = { openid: true, post_logout_redirect_uris: [BYE] };

let house;
before(async () => {
  house = await House.open();
});
after(() => house?.close());

function configured(made, auth) {
  const metadata = { client_secret: made.secret };
  return client.discovery(new URL(house.console), made.id, metadata, auth, { [client.customFetch]: house.through });
}

async function wanted(more = {}) {
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const parameters = {
    redirect_uri: REDIRECT, scope: "openid profile email", state, nonce, code_challenge_method: "S256",
    code_challenge: await client.calculatePKCECodeChallenge(verifier), ...more,
  };
  return { parameters, checks: { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true } };
}

async function signedIn(config, more) {
  const { parameters, checks } = await wanted(more);
  const back = await house.consented(client.buildAuthorizationUrl(config, parameters));
  return client.authorizationCodeGrant(config, back, checks);
}

test("openid-client: sign-in, the person's claims, refresh, sign-out", async () => {
  const made = await house.application([], LOGIN);
  const config = await configured(made);
  assert.equal(config.serverMetadata().id_token_signing_alg_values_supported.join(), "RS256");
  const tokens = await signedIn(config, { max_age: "3600" });
  const claims = tokens.claims();
  assert.deepEqual([claims.iss, claims.aud], [house.console, made.id]);
  assert.ok(claims.auth_time <= claims.iat);
  const person = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  assert.equal(person.preferred_username, house.organisation.administrator.name);
  assert.equal((await client.tokenIntrospection(config, tokens.access_token)).scope, "openid profile email");

  const next = await client.refreshTokenGrant(config, tokens.refresh_token);
  assert.equal(next.claims().sub, claims.sub);
  assert.equal(next.claims().auth_time, claims.auth_time);
  await assert.rejects(client.fetchUserInfo(config, tokens.access_token, claims.sub), { code: "OAUTH_WWW_AUTHENTICATE_CHALLENGE" });

  const own = await house.signIn();
  const { parameters, checks } = await wanted();
  const back = await house.consented(client.buildAuthorizationUrl(config, parameters), "allow", own);
  const there = await client.authorizationCodeGrant(config, back, checks);
  const leave = (more) => client.buildEndSessionUrl(config, { post_logout_redirect_uri: BYE, state: "x y", ...more });
  const evil = await house.visit(leave({ id_token_hint: there.id_token, post_logout_redirect_uri: "https://evil.example.test/" }), own);
  assert.equal(evil.status, 400);
  const left = await house.visit(leave({ id_token_hint: there.id_token }), own);
  assert.equal(onward(await left.text()).href, `${BYE}?state=x%20y`);
  assert.match(left.headers.get("clear-site-data"), /storage/);
  assert.equal((await house.visit(`${house.console}/`, own)).status, 303, "signed out");
  assert.equal((await house.visit(`${house.console}/`)).status, 200, "in that browser alone");
});

test("openid-client: without a word to the person", async () => {
  const made = await house.application([], LOGIN);
  const config = await configured(made);
  const silent = async (token, more) => {
    const { parameters } = await wanted({ prompt: "none", ...more });
    return (await house.consented(client.buildAuthorizationUrl(config, parameters), "allow", token)).searchParams;
  };
  assert.equal((await silent("")).get("error"), "login_required");
  assert.equal((await silent(house.token)).get("error"), "consent_required");
  await signedIn(config);
  const answered = await silent(house.token);
  assert.ok(answered.has("code") && answered.get("iss") === house.console);
  const { parameters } = await wanted({ prompt: "login" });
  const sent = await house.visit(client.buildAuthorizationUrl(config, parameters));
  assert.equal(new URL(sent.headers.get("location"), house.console).pathname, "/sign-in");
  assert.match(sent.headers.get("set-cookie"), /__Host-sekisho-return=\/oauth\/authorize\?.*fresh=/);
});

test("openid-client: pushed requests", async () => {
  const made = await house.application(["users.read"], { ...LOGIN, require_pushed_authorization_requests: true });
  const config = await configured(made, client.ClientSecretBasic(made.secret));
  const { parameters, checks } = await wanted({ scope: "openid users.read" });
  const bare = await house.consented(client.buildAuthorizationUrl(config, parameters));
  assert.equal(bare.searchParams.get("error"), "invalid_request");
  const address = await client.buildAuthorizationUrlWithPAR(config, parameters);
  assert.deepEqual([...address.searchParams.keys()].sort(), ["client_id", "request_uri"]);
  const back = await house.consented(address);
  const tokens = await client.authorizationCodeGrant(config, back, checks);
  assert.equal(tokens.claims().aud, made.id);
  assert.equal((await house.visit(address)).status, 400, "a second time");
  await assert.rejects(client.buildAuthorizationUrlWithPAR(config, { ...parameters, redirect_uri: "https://evil.example.test/" }), { error: "invalid_request" });
  await assert.rejects(client.buildAuthorizationUrlWithPAR(config, { ...parameters, scope: "openid users.write" }), { error: "invalid_scope" });
});

test("oidc-client-ts: a public application in a browser's page", async () => {
  const made = await house.application([], { ...LOGIN, confidential: false });
  globalThis.fetch = house.through;
  const own = await house.signIn();
  const page = new OidcClient({
    authority: house.console, client_id: made.id, redirect_uri: REDIRECT, post_logout_redirect_uri: BYE,
    scope: "openid profile", stateStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }), loadUserInfo: true,
  });
  const request = await page.createSigninRequest({ state: { at: "/orders" }, nonce: "n-1" });
  const back = await house.consented(request.url, "allow", own);
  const answer = await page.processSigninResponse(back.href);
  assert.deepEqual(answer.userState, { at: "/orders" });
  assert.equal(answer.profile.nonce, undefined, "the library takes it out once it is checked");
  assert.equal(answer.profile.preferred_username, house.organisation.administrator.name);
  const next = await page.useRefreshToken({ state: { ...answer, data: answer.userState } });
  assert.notEqual(next.access_token, answer.access_token);
  const out = await page.createSignoutRequest({ id_token_hint: answer.id_token, state: { left: true } });
  const landed = onward(await (await house.visit(out.url, own)).text());
  const done = await page.processSignoutResponse(landed.href);
  assert.deepEqual(done.userState, { left: true });
});

test("openid-client: tokens that only the holder of a key can use", async () => {
  const made = await house.application(["users.read"], { ...LOGIN, dpop_bound_access_tokens: true });
  const config = await configured(made);
  const users = new URL(`${house.console}/api/v1/users`);
  for (const algorithm of ["ES256", "Ed25519"]) {
    const key = client.getDPoPHandle(config, await client.randomDPoPKeyPair(algorithm));
    const { parameters, checks } = await wanted({ scope: "openid users.read", prompt: "consent" });
    const back = await house.consented(client.buildAuthorizationUrl(config, parameters));
    const tokens = await client.authorizationCodeGrant(config, back, checks, {}, { DPoP: key });
    assert.equal(tokens.token_type, "dpop");
    assert.equal((await client.fetchProtectedResource(config, tokens.access_token, users, "GET", null, null, { DPoP: key })).status, 200);
    const person = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, { DPoP: key });
    assert.equal(person.sub, tokens.claims().sub);
    const told = await client.tokenIntrospection(config, tokens.access_token);
    assert.deepEqual([told.active, told.token_type, told.cnf.jkt], [true, "DPoP", await key.calculateThumbprint()]);
    const next = await client.refreshTokenGrant(config, tokens.refresh_token, {}, { DPoP: key });
    assert.equal(next.token_type, "dpop");

    const thief = client.getDPoPHandle(config, await client.randomDPoPKeyPair(algorithm));
    await assert.rejects(client.fetchProtectedResource(config, next.access_token, users, "GET", null, null, { DPoP: thief }));
    await assert.rejects(client.fetchProtectedResource(config, next.access_token, users, "GET"));
    await assert.rejects(client.fetchUserInfo(config, next.access_token, tokens.claims().sub), { code: "OAUTH_WWW_AUTHENTICATE_CHALLENGE" });
    await assert.rejects(client.refreshTokenGrant(config, next.refresh_token), { error: "invalid_dpop_proof" });
  }
});

test("openid-client: a device without a browser", async () => {
  const made = await house.application(["users.read"], { openid: true, device_authorization: true, redirect_uris: [], confidential: false });
  const config = await configured(made, client.None());
  const started = await client.initiateDeviceAuthorization(config, { scope: "openid users.read" });
  assert.equal(started.verification_uri, `${house.console}/device`);
  const page = await (await house.visit(started.verification_uri_complete)).text();
  assert.match(page, new RegExp(`value="${started.user_code}"`));
  const wrong = await house.send("/device", page, { user_code: "BBBB-BBBB" });
  assert.equal(wrong.status, 400);
  const asked = await (await house.send("/device", page, { user_code: started.user_code })).text();
  assert.ok(asked.includes(made.name) && asked.includes("Know that it is you who signed in") && asked.includes("See users"), asked);
  const polling = client.pollDeviceAuthorizationGrant(config, started);
  const decided = await house.send("/device/decide", asked, { decision: "allow" });
  assert.equal(decided.headers.get("location"), "/account/applications?done=device-allowed");
  const tokens = await polling;
  assert.equal(tokens.claims().aud, made.id);
  const users = new URL(`${house.console}/api/v1/users`);
  assert.equal((await client.fetchProtectedResource(config, tokens.access_token, users, "GET")).status, 200);
  const again = await client.initiateDeviceAuthorization(config, {});
  const refused = await (await house.send("/device", page, { user_code: again.user_code })).text();
  await house.send("/device/decide", refused, { decision: "deny" });
  // Asked at once; the library would wait out its interval first.
  const grant = new URLSearchParams({ grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code: again.device_code, client_id: made.id });
  const denied = await house.through(`${house.console}/oauth/token`, { method: "POST", body: grant });
  assert.deepEqual([denied.status, (await denied.json()).error], [400, "access_denied"]);
});
