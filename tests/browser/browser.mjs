// Real Chromium, and what people do in it.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const PICTURES = new URL("../../target/browser/", import.meta.url).pathname;
mkdirSync(PICTURES, { recursive: true });

/** Chromium that trusts the demo's own authority, and what else a test needs: keys' hashes, and where hosts lead. */
export function launch(demo, { trusts = [], leads = [] } = {}) {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      `--ignore-certificate-errors-spki-list=${[demo.trust, ...trusts].join(",")}`,
      ...(leads.length ? [`--host-resolver-rules=${leads.map(([from, to]) => `MAP ${from} ${to}`).join(",")}`] : []),
    ],
  });
}

/** A person with a browser of their own. Whatever the pages complain of (a blocked script or style, an error) fails. */
export async function person(browser, { lang = "en", dark = false, width = 1280 } = {}) {
  const context = await browser.newContext({
    locale: lang === "ja" ? "ja-JP" : "en-GB",
    colorScheme: dark ? "dark" : "light",
    viewport: { width, height: 860 },
  });
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("console", (message) => {
    // A refusal's status is what a test looks for, not a complaint.
    const refusal = message.text().includes("the server responded with a status of 4");
    if (message.type() === "error" && !refusal) page.complaints.push(message.text());
  });
  return page;
}

/** Ends a person's browser; nothing may have been complained of. */
export async function leave(page) {
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

export async function signIn(page, account) {
  await page.locator("input[name=name]").fill(account.name);
  await page.locator("input[name=password]").fill(account.password);
  await page.locator("form[action='/sign-in'] button.primary").click();
}

/** A person signed in at their organisation's console. */
export async function atConsole(browser, organisation, account, options) {
  const page = await person(browser, options);
  await page.goto(`${organisation.console}/`);
  await signIn(page, account);
  await page.locator("nav[aria-label] a[href='/']").first().waitFor();
  return page;
}

export async function picture(page, name) {
  await page.screenshot({ path: `${PICTURES}${name}.png`, fullPage: true });
}

/** The six digits of RFC 6238 for `step` steps from now, written here a second time on purpose. */
export function totp(secret, step = 0) {
  let bits = "";
  for (const letter of secret.replace(/[\s=]/g, "")) {
    bits += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0");
  }
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + step));
  const mac = createHmac("sha1", key).update(counter).digest();
  const word = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  return String(word % 1_000_000).padStart(6, "0");
}
