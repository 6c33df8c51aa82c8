// SCIM by clients that others wrote (scim2-client, scim2-tester: scim_check.py) against a running demo.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { Agent, fetch } from "undici";
import { Demo } from "../browser/demo.mjs";

const PYTHON = process.env.SEKISHO_PYTHON ?? new URL("../../target/oauth/bin/python", import.meta.url).pathname;

let demo, organisation, agent, token;
before(async () => {
  demo = await Demo.start();
  [organisation] = demo.organisations;
  const lookup = (_name, options, done) =>
    options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);
  agent = new Agent({ connect: { ca: readFileSync(join(demo.data, "authority.pem")), lookup } });
  ({ token } = await api("POST", "/sign-in", organisation.administrator));
});
after(async () => {
  await agent?.close();
  await demo?.stop();
});

async function api(method, path, body) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const options = { method, headers, body: body && JSON.stringify(body), dispatcher: agent };
  const answer = await fetch(`${organisation.console}/api/v1${path}`, options);
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

test("scim2-tester, and provisioning cycles as Entra ID and Okta run them", async () => {
  const made = await api("POST", "/provisioning", { name: "Entra ID", days: 30 });
  const { address } = await api("GET", "/provisioning");
  const given = { base: address, ca: join(demo.data, "authority.pem"), token: made.token, session: token };
  const script = new URL("scim_check.py", import.meta.url).pathname;
  const run = promisify(execFile)(PYTHON, [script], { env: { ...process.env, GIVEN: JSON.stringify(given) } });
  const { stdout } = await run;
  assert.ok(JSON.parse(stdout).SUCCESS > 100, stdout);
  const { entries } = await api("GET", `/history?actor=${made.user}&limit=200`);
  assert.ok(entries.length === 200 && entries.every((entry) => entry.via === "scim"), "each call is on record");
});
