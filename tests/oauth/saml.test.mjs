// SAML providers that others wrote against a running demo: pysaml2 (saml_flow.py).
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { House } from "./house.mjs";

const PYTHON = process.env.SEKISHO_PYTHON ?? new URL("../../target/oauth/bin/python", import.meta.url).pathname;

let house;
before(async () => {
  house = await House.open();
});
after(() => house?.close());

test("pysaml2: sign-in, encryption, single logout both ways, roll-over", async () => {
  const given = { console: house.console, ca: house.authority, token: house.token };
  const script = new URL("saml_flow.py", import.meta.url).pathname;
  const env = { ...process.env, GIVEN: JSON.stringify(given) };
  const { stdout } = await promisify(execFile)(PYTHON, ["-W", "ignore", script], { env });
  assert.equal(stdout.trim().split("\n").at(-1), "done", stdout);
});
