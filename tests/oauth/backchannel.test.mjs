// Applications are told when sessions end (OpenID Connect Back-Channel Logout 1.0). The reader of logout tokens is npm's jose, which
// knows nothing but the provider's published metadata; people sign in by openid-client.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createLocalJWKSet, jwtVerify } from "jose";
import * as client from "openid-client";
import { House, REDIRECT, onward } from "./house.mjs";
import { Outside } from "./outside.mjs";

const EVENT = "http://schemas.openid.net/event/backchannel-logout";
const BYE = "https://app.example.test/bye";
const got = [];
let house, outside, origin, answers = [];

before(async () => {
  house = await House.open();
  outside = new Outside(house.demo);
  origin = await outside.serve((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      got.push({ method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(answers.shift() ?? 200, { "cache-control": "no-store" }).end();
    });
  });
});
after(async () => {
  outside?.close();
  await house?.close();
});

/** The logout token that came as the nth, as an application reads it (§2.6). */
async function told(n, audience) {
  for (let waited = 0; waited < 200 && got.length <= n; waited++) await new Promise((done) => setTimeout(done, 100));
  const { method, headers, body } = got[n];
  assert.deepEqual([method, headers["content-type"]], ["POST", "application/x-www-form-urlencoded"]);
  const form = new URLSearchParams(body);
  assert.deepEqual([...form.keys()], ["logout_token"]);
  const metadata = await (await house.through(`${house.console}/.well-known/openid-configuration`)).json();
  assert.deepEqual([metadata.backchannel_logout_supported, metadata.backchannel_logout_session_supported], [true, true]);
  const keys = createLocalJWKSet(await (await house.through(metadata.jwks_uri)).json());
  const { payload } = await jwtVerify(form.get("logout_token"), keys, {
    issuer: metadata.issuer, audience, typ: "logout+jwt", algorithms: metadata.id_token_signing_alg_values_supported,
    requiredClaims: ["iat", "exp", "jti", "sub", "sid", "events"],
  });
  assert.deepEqual(payload.events, { [EVENT]: {} });
  assert.equal(payload.nonce, undefined);
  return payload;
}

async function signedIn(made, token) {
  const config = await client.discovery(new URL(house.console), made.id, { client_secret: made.secret }, undefined, { [client.customFetch]: house.through });
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const address = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT, scope: "openid", state, code_challenge_method: "S256", code_challenge: await client.calculatePKCECodeChallenge(verifier),
  });
  const back = await house.consented(address, "allow", token);
  const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state });
  return { config, claims: tokens.claims(), hint: tokens.id_token };
}

test("an application is told of the very session that ended, however it ended", async () => {
  const made = await house.application([], {
    openid: true, post_logout_redirect_uris: [BYE], backchannel_logout_uri: `${origin}/bye`, backchannel_logout_session_required: true,
  });
  assert.equal(made.backchannel_logout_uri, `${origin}/bye`);
  const other = await house.application([], { openid: true });
  const own = await house.signIn();
  const here = await signedIn(made, own);
  const elsewhere = await signedIn(other, own);
  assert.equal(here.claims.sid, elsewhere.claims.sid, "one session, two applications");

  const leave = client.buildEndSessionUrl(here.config, { post_logout_redirect_uri: BYE, id_token_hint: here.hint });
  assert.equal(onward(await (await house.visit(leave, own)).text()).href, BYE);
  const first = await told(0, made.id);
  assert.deepEqual([first.sid, first.sub, first.iss], [here.claims.sid, here.claims.sub, house.console]);
  await assert.rejects(told(0, other.id), { code: "ERR_JWT_CLAIM_VALIDATION_FAILED" });

  // An administrator ends somebody's sessions; the application is away for a moment.
  const person = { name: "minato", password: "Omaezaki-no-Todai-1874" };
  const user = await house.api("POST", "/users", { ...person, type: "user" });
  const theirs = await signedIn(made, await house.signIn(person));
  answers = [503];
  const end = await house.through(`${house.console}/api/v1/users/${user.id}/sessions`, { method: "DELETE", headers: { authorization: `Bearer ${house.token}` } });
  assert.ok(end.ok);
  const [lost, again] = [await told(1, made.id), await told(2, made.id)];
  assert.deepEqual([lost.sid, again.sid, lost.jti === again.jti], [theirs.claims.sid, theirs.claims.sid, true]);

  // What is refused does not come again, and is on record.
  const third = await signedIn(made, await house.signIn(person));
  answers = [400];
  await house.api("POST", `/users/${user.id}/disable`, {});
  assert.equal((await told(3, made.id)).sid, third.claims.sid);
  const read = async (path) => (await house.through(`${house.console}/api/v1${path}`, { headers: { authorization: `Bearer ${house.token}` } })).json();
  let seen;
  for (let n = 0; n < 50 && seen?.logouts.dropped !== 1; n++) {
    seen = await read(`/applications/${made.id}`);
    await new Promise((done) => setTimeout(done, 100));
  }
  assert.deepEqual([seen.logouts.sent, seen.logouts.dropped, seen.logouts.failing], [2, 1, 0]);
  const entries = JSON.stringify(await read("/history?action=oauth.&limit=100"));
  const of = (event) => entries.split(`"${event}"`).length - 1;
  assert.deepEqual([of("oauth.logout_send"), of("oauth.logout_drop")], [3, 1], "two deliveries, a failure, and what was given up");
  assert.equal(got.length, 4);
});
