// Through the door to the sample application, with password and one-time code.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { atConsole, launch, leave, person, picture, signIn, totp } from "./browser.mjs";
import { Demo } from "./demo.mjs";

let demo, browser, organisation;
before(async () => {
  demo = await Demo.start();
  browser = await launch(demo);
  organisation = demo.organisations[0];
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** Sets an authenticator up as the page says; returns its secret and the recovery codes. */
async function enrol(page) {
  await page.goto(`${organisation.console}/account`);
  await page.locator("form[action='/account/factors'] button").click();
  await page.locator(".qr img").waitFor();
  const secret = await page.locator("#secret").textContent();
  await picture(page, "enrol");
  await page.locator("input[name=code]").fill(totp(secret));
  await page.locator(".steps button.primary").click();
  const codes = page.locator("#codes li");
  await codes.first().waitFor();
  return { secret, codes: (await codes.allTextContents()).map((code) => code.trim()) };
}

test("a person signs in with a one-time code and reaches an application that knows nothing of it", async () => {
  const { user } = organisation;
  const settingUp = await atConsole(browser, organisation, user);
  const { secret, codes } = await enrol(settingUp);
  assert.ok(codes.length >= 8, "recovery codes are shown once");
  await leave(settingUp);

  const page = await person(browser);
  const answer = await page.goto(`${organisation.application}/?from=a-bookmark`);
  assert.equal(new URL(page.url()).host, new URL(organisation.console).host, "a stranger is sent to the sign-in");
  assert.match(answer.headers()["content-security-policy"] ?? "", /default-src 'none'|script-src 'self'/);
  await picture(page, "sign-in");
  await signIn(page, user);
  await page.locator("form[action='/sign-in/factor'] input[name=code]").waitFor();
  await picture(page, "second-factor");

  await page.locator("input[name=code]").fill("000000");
  await page.locator("form[action='/sign-in/factor'] button.primary").first().click();
  await page.getByRole("alert").waitFor();

  // The code that set the authenticator up has been used; the next step's is good already (RFC 6238 §5.2).
  await page.locator("input[name=code]").fill(totp(secret, 1));
  await page.locator("form[action='/sign-in/factor'] button.primary").first().click();
  await page.waitForURL(`${organisation.application}/?from=a-bookmark`);
  const shown = await page.locator("body").innerText();
  assert.match(shown, /sekisho-assertion/i, "the application is told who it is");
  assert.doesNotMatch(shown, /__Host-sekisho/, "our cookies do not reach the application");
  await picture(page, "application");

  const cookies = await page.context().cookies();
  const sessions = cookies.filter((cookie) => cookie.name === "__Host-sekisho");
  assert.equal(new Set(sessions.map((cookie) => cookie.value)).size, 2, "each host has a session cookie of its own");
  for (const cookie of sessions) {
    assert.ok(cookie.secure && cookie.httpOnly && cookie.path === "/" && !cookie.domain.startsWith("."), cookie.name);
  }

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.goto(`${organisation.application}/`);
  assert.equal(new URL(page.url()).host, new URL(organisation.console).host, "signed out, the door is closed again");
  await leave(page);
});

test("one organisation's session opens nothing of another's", async () => {
  const page = await atConsole(browser, organisation, organisation.administrator);
  const other = demo.organisations[1];
  const token = (await page.context().cookies(organisation.console)).find((c) => c.name === "__Host-sekisho").value;
  await page.context().addCookies([
    { name: "__Host-sekisho", value: token, url: `${other.console}/`, secure: true, httpOnly: true, sameSite: "Lax" },
  ]);
  await page.goto(`${other.console}/users`);
  await page.locator("form[action='/sign-in']").waitFor();
  await leave(page);
});
