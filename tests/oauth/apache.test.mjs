// Apache's mod_auth_openidc signs people in to a site of its own at a running demo. Its browser is the test, and TLS in front of it
// is left out: the module is told of it by header fields, as behind a balancer.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { request } from "undici";
import { House } from "./house.mjs";
import { Outside } from "./outside.mjs";

const SITE = "app.example.test";
const MODULES = "/usr/lib/apache2/modules";
const scratch = mkdtempSync(join(tmpdir(), "sekisho-apache-"));
let house, outside, front, apache, port;

before(async () => {
  house = await House.open();
  port = await new Promise((done) => {
    const probe = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
  // What stands in front of the site, for whoever comes from outside.
  outside = new Outside(house.demo);
  front = await outside.serve(async (asked, answered) => {
    const chunks = [];
    for await (const chunk of asked) chunks.push(chunk);
    const headers = { "x-forwarded-proto": "https", "x-forwarded-port": "443", host: SITE, "content-type": asked.headers["content-type"] };
    const { statusCode, body } = await request(`http://127.0.0.1:${port}${asked.url}`, { method: asked.method, headers, body: Buffer.concat(chunks) });
    heard.push(statusCode);
    answered.writeHead(statusCode).end(await body.text());
  });
});
after(async () => {
  if (apache) {
    const ended = new Promise((done) => apache.once("exit", done));
    apache.kill("SIGTERM");
    await ended;
  }
  outside?.close();
  await house?.close();
  rmSync(scratch, { recursive: true, force: true });
});

async function serve(made) {
  mkdirSync(join(scratch, "site"));
  writeFileSync(join(scratch, "site", "index.html"), "the site behind it");
  writeFileSync(join(scratch, "authority.pem"), readFileSync(house.authority));
  // Apache gives root up.
  chmodSync(scratch, 0o755);
  const user = process.getuid() === 0 ? "User www-data\nGroup www-data" : "";
  const modules = ["mpm_event", "authn_core", "authz_core", "authz_user", "dir", "auth_openidc"];
  writeFileSync(join(scratch, "apache.conf"), `
ServerRoot "${scratch}"
PidFile "${scratch}/pid"
ErrorLog "${scratch}/error.log"
Listen 127.0.0.1:${port}
ServerName ${SITE}
${user}
${modules.map((m) => `LoadModule ${m}_module ${MODULES}/mod_${m}.so`).join("\n")}
DocumentRoot "${scratch}/site"
DirectoryIndex index.html
OIDCXForwardedHeaders X-Forwarded-Proto X-Forwarded-Port
OIDCProviderMetadataURL ${house.console}/.well-known/openid-configuration
OIDCCABundlePath ${scratch}/authority.pem
OIDCClientID ${made.id}
OIDCClientSecret ${made.secret}
OIDCRedirectURI https://${SITE}/back
OIDCCryptoPassphrase 0123456789abcdef
OIDCScope "openid profile"
OIDCPKCEMethod S256
OIDCRemoteUserClaim preferred_username
OIDCPassClaimsAs headers
<Location />
  AuthType openid-connect
  Require user ${house.organisation.administrator.name}
</Location>
# Its own address is for everybody whom the provider sends, and for the provider.
<Location /back>
  AuthType openid-connect
  Require valid-user
</Location>
`);
  apache = spawn("/usr/sbin/apache2", ["-X", "-f", join(scratch, "apache.conf")], { stdio: "inherit", env: { PATH: process.env.PATH } });
  for (let n = 0; n < 100; n++) {
    const up = await new Promise((done) => {
      const socket = net.connect(port, "127.0.0.1", () => { socket.destroy(); done(true); });
      socket.on("error", () => done(false));
    });
    if (up) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(readFileSync(join(scratch, "error.log"), "utf8"));
}

const jar = new Map(), heard = [];
async function browse(path) {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
  const headers = { "x-forwarded-proto": "https", "x-forwarded-port": "443", host: SITE, accept: "text/html", ...(cookie && { cookie }) };
  const answer = await request(`http://127.0.0.1:${port}${path}`, { headers });
  for (const line of [answer.headers["set-cookie"] ?? []].flat()) {
    const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
    jar.set(name, value);
  }
  return { status: answer.statusCode, location: answer.headers.location, text: await answer.body.text() };
}

test("mod_auth_openidc: a site of its own, for one person", async () => {
  const made = await house.application([], {
    openid: true, redirect_uris: [`https://${SITE}/back`], backchannel_logout_uri: `${front}/back?logout=backchannel`,
  });
  await serve(made);
  const sent = await browse("/");
  assert.equal(sent.status, 302, readFileSync(join(scratch, "error.log"), "utf8"));
  const asked = new URL(sent.location);
  assert.equal(asked.origin, house.console);
  assert.equal(asked.searchParams.get("code_challenge_method"), "S256");
  const back = await house.consented(asked.href);
  const landed = await browse(back.pathname + back.search);
  assert.equal(landed.status, 302, readFileSync(join(scratch, "error.log"), "utf8"));
  const inside = await browse("/");
  assert.equal(inside.text, "the site behind it");

  // Signed out here, the site is told, and lets nobody in any more.
  const own = await house.signIn();
  jar.clear();
  const mine = await house.consented((await browse("/")).location, "allow", own);
  await browse(mine.pathname + mine.search);
  assert.equal((await browse("/")).text, "the site behind it");
  const out = await house.through(`${house.console}/api/v1/sign-out`, { method: "POST", headers: { authorization: `Bearer ${own}` } });
  assert.ok(out.ok, String(out.status));
  for (let n = 0; n < 100 && heard.length === 0; n++) await new Promise((done) => setTimeout(done, 100));
  assert.deepEqual(heard, [200], readFileSync(join(scratch, "error.log"), "utf8"));
  assert.equal((await browse("/")).status, 302, "asked to sign in again");

  jar.clear();
  const other = await house.signIn(house.organisation.user);
  const theirs = await house.consented((await browse("/")).location, "allow", other);
  await browse(theirs.pathname + theirs.search);
  assert.equal((await browse("/")).status, 401, "another person is known, and not let in");

  jar.clear();
  await browse("/");
  const mixed = await browse(theirs.pathname + theirs.search);
  assert.notEqual(mixed.status, 302, "another browser's answer");
});
