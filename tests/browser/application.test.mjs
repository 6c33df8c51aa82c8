// A public application whose whole life is a page: oidc-client-ts in a real Chromium signs its person in across origins, renews and
// signs out. What another site's page would have of us, Chromium itself refuses.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Agent, fetch } from "undici";
import { launch, leave, person, picture, signIn } from "./browser.mjs";
import { Demo } from "./demo.mjs";

const APPLICATION = "https://spa.example.test", STRANGER = "https://evil.example.test";
const LIBRARY = readFileSync(new URL("node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "sekisho-application-"));
let demo, browser, server, agent, organisation, made;

before(async () => {
  demo = await Demo.start();
  [organisation] = demo.organisations;
  const [key, pem] = ["key", "pem"].map((name) => join(scratch, name));
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=example.test",
    "-addext", "subjectAltName=DNS:*.example.test", "-keyout", key, "-out", pem], { stdio: "ignore" });
  server = https.createServer({ key: readFileSync(key), cert: readFileSync(pem) }, (request, response) => {
    if (request.url === "/library.js") return response.writeHead(200, { "content-type": "text/javascript" }).end(LIBRARY);
    if (request.url === "/favicon.ico") return response.writeHead(204).end();
    response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>app</title><h1>An application</h1><script src=/library.js></script>");
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const spki = new X509Certificate(readFileSync(pem)).publicKey.export({ type: "spki", format: "der" });
  const there = `127.0.0.1:${server.address().port}`;
  browser = await launch(demo, {
    trusts: [createHash("sha256").update(spki).digest("base64")],
    leads: [["spa.example.test:443", there], ["evil.example.test:443", there]],
  });
  const lookup = (_name, options, done) => (options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4));
  agent = new Agent({ connect: { ca: readFileSync(join(demo.data, "authority.pem")), lookup } });
  const api = async (path, body, token) => {
    const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
    const answer = await fetch(`${organisation.console}/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body), dispatcher: agent });
    assert.ok(answer.ok, `${path}: ${answer.status}`);
    return answer.json();
  };
  const { token } = await api("/sign-in", organisation.administrator);
  made = await api("/applications", {
    name: "a page", redirect_uris: [`${APPLICATION}/back`], post_logout_redirect_uris: [`${APPLICATION}/bye`], openid: true, rights: ["users.read"],
  }, token);
  await api(`/applications/${made.id}/approve`, {}, token);
});
after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
  await agent?.close();
  await demo?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

const settings = () => ({
  authority: organisation.console, client_id: made.id, redirect_uri: `${APPLICATION}/back`, post_logout_redirect_uri: `${APPLICATION}/bye`,
  scope: "openid profile", loadUserInfo: true, automaticSilentRenew: false,
});

test("oidc-client-ts in a page: sign-in, the person's claims, renewal, revocation, sign-out", async () => {
  const page = await person(browser);
  await page.goto(`${APPLICATION}/`);
  await page.evaluate((settings) => new oidc.UserManager(settings).signinRedirect(), settings()).catch(() => {});
  await signIn(page, organisation.user);
  await page.locator("button[name=decision][value=allow]").click();
  await page.waitForURL(`${APPLICATION}/back?**`);
  const first = await page.evaluate(async (settings) => {
    const user = await new oidc.UserManager(settings).signinCallback();
    return { name: user.profile.preferred_username, access: user.access_token, refresh: user.refresh_token };
  }, settings());
  assert.equal(first.name, organisation.user.name);
  const renewed = await page.evaluate(async (settings) => (await new oidc.UserManager(settings).signinSilent()).access_token, settings());
  assert.notEqual(renewed, first.access, "renewed with the refresh token");

  // Nothing with the session's cookie, and nothing of the console or its API, is read from there.
  const read = (path, options) => page.evaluate(async ([address, options]) => {
    try { return (await fetch(address, options)).status; } catch (refused) { return refused.name; }
  }, [organisation.console + path, options]);
  assert.equal(await read("/oauth/userinfo", { headers: { authorization: `Bearer ${renewed}` } }), 200);
  assert.equal(await read("/oauth/jwks", { credentials: "include" }), "TypeError");
  for (const path of ["/", "/api/v1/me", "/oauth/authorize", "/sign-in"]) assert.equal(await read(path), "TypeError", path);
  assert.equal(await read("/api/v1/users", { headers: { authorization: `Bearer ${renewed}` } }), "TypeError");
  assert.equal(await read("/oauth/token", { method: "POST", headers: { "x-csrf-token": "x" } }), "TypeError");

  await page.evaluate((settings) => new oidc.UserManager(settings).revokeTokens(["access_token"]), settings());
  assert.equal(await read("/oauth/userinfo", { headers: { authorization: `Bearer ${renewed}` } }), 401, "and it may read so");
  page.complaints = page.complaints.filter((text) => !text.includes("CORS policy") && !text.includes("net::ERR_FAILED"));
  await page.evaluate((settings) => new oidc.UserManager(settings).signoutRedirect(), settings()).catch(() => {});
  await page.waitForURL(`${APPLICATION}/bye**`);
  await page.goto(`${organisation.console}/`);
  await page.locator("form[action='/sign-in']").waitFor();
  await picture(page, "application-signed-out");
  await leave(page);
});

test("another site's page reads nothing", async () => {
  const page = await person(browser);
  await page.goto(`${STRANGER}/`);
  const refused = await page.evaluate(async (console) => {
    const out = [];
    for (const path of ["/.well-known/openid-configuration", "/oauth/jwks", "/oauth/userinfo", "/oauth/token"]) {
      try { out.push((await fetch(console + path, { headers: { dpop: "x" } })).status); } catch (why) { out.push(why.name); }
    }
    return out;
  }, organisation.console);
  assert.deepEqual(refused, ["TypeError", "TypeError", "TypeError", "TypeError"]);
  page.complaints = page.complaints.filter((text) => !text.includes("CORS policy") && !text.includes("net::ERR_FAILED"));
  await leave(page);
});
