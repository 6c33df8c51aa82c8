// SAML providers that others wrote against a running demo: pysaml2 (saml_flow.py), samlify and node-saml (saml_node.mjs).
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import * as client from "openid-client";
import { Browser, House, REDIRECT, onward, posted } from "./house.mjs";
import { Outside } from "./outside.mjs";
import { PERSISTENT, Provider, query } from "./saml_node.mjs";

const PYTHON = process.env.SEKISHO_PYTHON ?? new URL("../../target/oauth/bin/python", import.meta.url).pathname;
const THERE = "https://node.example.test";

let house, outside;
before(async () => {
  house = await House.open();
  outside = new Outside(house.demo);
});
after(async () => {
  outside?.close();
  await house?.close();
});

test("pysaml2: sign-in, encryption, single logout both ways, roll-over", async () => {
  const given = { console: house.console, ca: house.authority, token: house.token };
  const script = new URL("saml_flow.py", import.meta.url).pathname;
  const env = { ...process.env, GIVEN: JSON.stringify(given) };
  const { stdout } = await promisify(execFile)(PYTHON, ["-W", "ignore", script], { env });
  assert.equal(stdout.trim().split("\n").at(-1), "done", stdout);
});

/** A provider that has read our metadata and whose own we have read at its address. */
async function registered(name, binding) {
  const provider = new Provider(name, binding);
  const served = await outside.serve((_request, response) => response.end(provider.metadata));
  const made = await house.api("POST", "/saml-providers", { name, metadata_url: `${served}/metadata` });
  const on = { enabled: true, create_users: true, trusts_factor: true };
  provider.id = made.id;
  await house.through(`${house.console}/api/v1/providers/${made.id}`, {
    method: "PATCH", body: JSON.stringify(on),
    headers: { authorization: `Bearer ${house.token}`, "content-type": "application/json", "if-match": `"${made.version}"` },
  });
  provider.read(await (await house.through(`${house.console}/saml/metadata`)).text());
  return provider;
}

/** A message to a provider, as a page of ours leads on to it. */
function sent(page, binding) {
  return binding === "post" ? posted(page.text).fields : onward(page.text).href;
}

/** What the provider sends back through the browser. */
function brought(browser, message) {
  const form = typeof message === "string" ? undefined : message;
  return browser.go(form ? `${house.console}/saml/slo` : message, { form, from: THERE });
}

async function comes(provider, subject, index, how) {
  const browser = new Browser(house);
  const page = await browser.go(`${house.console}/sign-in`);
  const left = await browser.send("/sign-in/provider", page, { provider: provider.id });
  const away = sent(left, provider.binding);
  const state = typeof away === "string" ? query(away).values.RelayState : away.RelayState;
  const asked = await provider.asked(away);
  const field = await provider.says(asked, subject, index, how);
  const answered = how?.altered ? how.altered(field) : field;
  const form = { SAMLResponse: answered, RelayState: state };
  browser.answered = await browser.go(`${house.console}/saml/acs`, { form, from: THERE });
  return browser;
}

async function lives(browser) {
  const answer = await house.through(`${house.console}/api/v1/me`, { headers: { authorization: `Bearer ${browser.token}` } });
  return answer.ok && (await answer.json()).user.name;
}

const inside = (field, from, to) => {
  const text = Buffer.from(field, "base64").toString();
  assert.ok(text.includes(from), `${from} in ${text}`);
  return Buffer.from(text.replace(from, to)).toString("base64");
};

for (const binding of ["redirect", "post"]) {
  test(`samlify by ${binding}: metadata both ways, sign-in, encryption, single logout both ways`, async () => {
    const provider = await registered(`samlify-${binding}`, binding);
    const who = (name) => `${binding}-${name}`;
    const hanako = await comes(provider, who("hanako"), "_h1");
    assert.equal(await lives(hanako), who("hanako"), hanako.answered.text);
    const taro = await comes(provider, who("taro"), "_t1", { encrypted: true });
    assert.equal(await lives(taro), who("taro"), taro.answered.text);

    // What somebody has changed on the way is nobody's word.
    const flip = (field) => {
      const text = Buffer.from(field, "base64").toString();
      const at = text.lastIndexOf("</xenc:CipherValue>") - 40;
      return Buffer.from(text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1)).toString("base64");
    };
    for (const [what, altered, encrypted] of [
      ["another's name", (field) => inside(field, `>${who("jiro")}</saml:NameID>`, `>${who("hanako")}</saml:NameID>`)],
      ["no signature", (field) => inside(field, /<ds:Signature [^]*<\/ds:Signature>/.exec(Buffer.from(field, "base64"))[0], "")],
      ["other ciphertext", flip, true],
    ]) {
      const stranger = await comes(provider, who("jiro"), "_j1", { altered, encrypted });
      assert.deepEqual([stranger.answered.status, stranger.token], [401, undefined], what);
    }

    // A comment, which no signature covers, cuts no name short.
    const commented = (field) => inside(field, `>${who("jiro")}</saml:NameID>`, `>${who("ji<!-- -->ro")}</saml:NameID>`);
    assert.equal(await lives(await comes(provider, who("jiro"), "_j2", { altered: commented })), who("jiro"));

    // The provider signs one of them out, and understands our answer.
    const second = await comes(provider, who("hanako"), "_h2");
    const wish = provider.wants(who("hanako"), "_h1", "theirs");
    const told = await brought(hanako, wish);
    const answer = binding === "post" ? posted(told.text).fields : told.to;
    const state = typeof answer === "string" ? query(answer).values.RelayState : answer.RelayState;
    assert.equal(state, "theirs");
    const heard = await provider.heard(answer);
    assert.match(heard.response.inResponseTo, /^_/);
    assert.deepEqual([await lives(hanako), await lives(second)], [false, who("hanako")]);
    assert.equal((await brought(hanako, wish)).status, 403, "once");

    // A person signs out here, is led on, and the provider's answer is taken once.
    const left = await second.send("/sign-out", await second.go(`${house.console}/`), {});
    assert.equal(await lives(second), false);
    const wished = await provider.wished(sent(left, binding));
    assert.deepEqual([wished.nameID, wished.sessionIndex], [who("hanako"), "_h2"]);
    const relay = binding === "post" ? posted(left.text).fields.RelayState : onward(left.text).searchParams.get("RelayState");
    const reply = provider.obeyed(wished, relay ?? undefined);
    const back = await brought(second, reply);
    assert.deepEqual([back.status, back.to], [303, "/sign-in?done=signed-out-provider"], back.text);
    assert.equal((await brought(second, reply)).status, 401, "once");
    assert.equal(await lives(taro), who("taro"), "nobody else is signed out");
  });
}

test("samlify and node-saml refuse what is not our word", async () => {
  const provider = await registered("refusing", "redirect");
  const browser = new Browser(house);
  const page = await browser.go(`${house.console}/sign-in`);
  const away = sent(await browser.send("/sign-in/provider", page, { provider: provider.id }), "redirect");
  await provider.asked(away);
  await assert.rejects(provider.asked(away.replace(/RelayState=./, "RelayState=_")), /ERR_FAILED_MESSAGE_SIGNATURE_VERIFICATION/);
  const hanako = await comes(provider, "refusing-hanako", "_r1");
  const left = onward((await hanako.send("/sign-out", await hanako.go(`${house.console}/`), {})).text).href;
  const { raw, values } = query(left);
  await provider.nodeSaml.validateRedirectAsync(values, raw);
  const other = raw.replace(/SigAlg=[^&]*/, (name) => `${name}%20`);
  await assert.rejects(provider.nodeSaml.validateRedirectAsync(values, other), /Invalid query signature/);

  const forms = await registered("refusing-forms", "post");
  const jiro = await comes(forms, "refusing-jiro", "_r2");
  const { fields } = posted((await jiro.send("/sign-out", await jiro.go(`${house.console}/`), {})).text);
  assert.equal((await forms.nodeSaml.validatePostRequestAsync(fields)).profile.nameID, "refusing-jiro");
  const altered = { ...fields, SAMLRequest: inside(fields.SAMLRequest, ">refusing-jiro<", ">refusing-hanako<") };
  await assert.rejects(forms.nodeSaml.validatePostRequestAsync(altered), /Invalid signature/);
  await assert.rejects(forms.wished(altered), /FAILED_TO_VERIFY_SIGNATURE/);
});

test("node-saml: single logout both ways", async () => {
  const provider = await registered("node-saml", "redirect");
  const saml = provider.nodeSaml;
  const hanako = await comes(provider, "node-hanako", "_n1");
  const second = await comes(provider, "node-hanako", "_n2");
  const person = { nameID: "node-hanako", nameIDFormat: PERSISTENT, sessionIndex: "_n1" };
  const wish = await saml.getLogoutUrlAsync(person, "theirs", {});
  const told = await brought(hanako, wish);
  assert.equal(told.status, 303, told.text);
  const answer = query(told.to);
  assert.equal(answer.values.RelayState, "theirs");
  assert.deepEqual(await saml.validateRedirectAsync(answer.values, answer.raw), { profile: null, loggedOut: true });
  assert.deepEqual([await lives(hanako), await lives(second)], [false, "node-hanako"]);
  assert.equal((await brought(hanako, wish)).status, 403, "once");

  const left = await second.send("/sign-out", await second.go(`${house.console}/`), {});
  const asked = query(onward(left.text).href);
  const { profile, loggedOut } = await saml.validateRedirectAsync(asked.values, asked.raw);
  assert.deepEqual([loggedOut, profile.nameID, profile.sessionIndex, profile.issuer],
    [true, "node-hanako", "_n2", `${house.console}/saml/metadata`]);
  const refusal = await saml.getLogoutResponseUrlAsync({ ID: "_another" }, asked.values.RelayState, {}, true);
  assert.equal((await brought(second, refusal)).status, 401, "an answer to no request of ours");
  const reply = await saml.getLogoutResponseUrlAsync(profile, asked.values.RelayState, {}, true);
  const back = await brought(second, reply);
  assert.deepEqual([back.status, back.to], [303, "/sign-in?done=signed-out-provider"], back.text);
  assert.equal((await brought(second, reply)).status, 401, "once");
});

/** Somebody signs in at the provider, and is led back there by `leave`; what their browser does then. */
async function leads(provider, subject, leave) {
  const browser = await comes(provider, subject, `_${subject}`);
  assert.equal(await lives(browser), subject, browser.answered.text);
  const { away, state } = await leave(browser);
  assert.equal(await lives(browser), false);
  const wished = await provider.wished(away);
  assert.deepEqual([wished.nameID, wished.sessionIndex], [subject, `_${subject}`]);
  return { browser, wished, state };
}

const stateOf = (away) => (typeof away === "string" ? query(away).values.RelayState : away.RelayState);

for (const binding of ["redirect", "post"]) {
  test(`samlify by ${binding}: who signs out by the API, everywhere, or at the application's door is led on, too`, async () => {
    const provider = await registered(`everywhere-${binding}`, binding);
    const who = (name) => `e-${binding}-${name}`;
    const arrives = async ({ browser, wished }) => {
      const back = await brought(browser, provider.obeyed(wished));
      assert.deepEqual([back.status, back.to], [303, "/sign-in?done=signed-out-provider"], back.text);
    };
    const told = ({ onward: { to, fields } }) => ({ away: binding === "post" ? fields : to });
    await arrives(await leads(provider, who("api"), async (browser) => told(await house.api("POST", "/sign-out", {}, browser.token))));
    await arrives(await leads(provider, who("all"), async (browser) => told(await house.api("DELETE", "/me/sessions?keep=none", undefined, browser.token))));
    await arrives(await leads(provider, who("page"), async (browser) => {
      const left = await browser.send("/sessions/end-all", await browser.go(`${house.console}/sessions`), {});
      return { away: sent(left, binding) };
    }));
    const { application } = house.organisation;
    const enter = async (browser) => {
      const opened = await browser.follow(`${application}/`);
      assert.equal(opened.status, 200, opened.text);
    };
    await arrives(await leads(provider, who("door"), async (browser) => {
      await enter(browser);
      const left = await browser.go(`${application}/.sekisho/sign-out`, { form: {} });
      assert.match(left.headers["clear-site-data"], /storage/);
      if (binding === "redirect") return { away: left.to };
      assert.ok(left.headers["content-security-policy"].includes(`form-action ${THERE};`));
      return { away: posted(left.text).fields };
    }));
    await arrives(await leads(provider, who("script"), async (browser) => {
      await enter(browser);
      const left = await browser.go(`${application}/.sekisho/sign-out`, { form: {}, accept: "application/json" });
      return told(JSON.parse(left.text));
    }));
  });

  test(`samlify by ${binding}: an application's person goes back to it, and nobody anywhere else`, async () => {
    const provider = await registered(`application-${binding}`, binding);
    const bye = "https://app.example.test/bye";
    const made = await house.application([], { openid: true, post_logout_redirect_uris: [bye] });
    const config = await client.discovery(new URL(house.console), made.id, { client_secret: made.secret }, undefined, { [client.customFetch]: house.through });
    const leave = async (browser) => {
      const pkceCodeVerifier = client.randomPKCECodeVerifier();
      const wanted = { redirect_uri: REDIRECT, scope: "openid", code_challenge_method: "S256", code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier) };
      const back = await house.consented(client.buildAuthorizationUrl(config, wanted), "allow", browser.token);
      const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier, idTokenExpected: true });
      const out = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: bye, state: "x y" });
      const left = await browser.go(out.href, { from: "https://app.example.test" });
      assert.match(left.headers["clear-site-data"], /storage/);
      const away = sent(left, binding);
      assert.match(stateOf(away), /^[A-Za-z0-9_-]{22}$/);
      return { away, state: stateOf(away) };
    };
    const hanako = await leads(provider, `a-${binding}-hanako`, leave);
    const taro = await leads(provider, `a-${binding}-taro`, leave);
    for (const state of [undefined, taro.state, "https://evil.example.test/"]) {
      const refused = await brought(hanako.browser, provider.obeyed(hanako.wished, state));
      assert.deepEqual([refused.status, refused.to], [401, undefined], state);
    }
    const reply = provider.obeyed(hanako.wished, hanako.state);
    const back = await brought(hanako.browser, reply);
    assert.equal(back.status, 200, back.text);
    assert.equal(onward(back.text).href, `${bye}?state=x%20y`);
    assert.equal((await brought(hanako.browser, reply)).status, 401, "once");
    assert.equal(onward((await brought(taro.browser, provider.obeyed(taro.wished, taro.state))).text).href, `${bye}?state=x%20y`);
  });
}
