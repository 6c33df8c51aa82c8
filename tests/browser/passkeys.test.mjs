// Passkeys in real Chromium, by its virtual authenticator: registered, used alone and beside the password, renamed, removed.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { atConsole, launch, leave, person, picture, signIn } from "./browser.mjs";
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

/** An authenticator in the browser of `page`; returns what to tell it. */
async function authenticator(page, options = {}) {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable", { enableUI: false });
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true,
      isUserVerified: true, automaticPresenceSimulation: true, ...options,
    },
  });
  return {
    credentials: async () => (await session.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
    verified: (isUserVerified) => session.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }),
    add: (credential) => session.send("WebAuthn.addCredential", { authenticatorId, credential }),
    take: async (credential) => {
      await session.send("WebAuthn.removeCredential", { authenticatorId, credentialId: credential.credentialId });
    },
  };
}

async function register(page, account, name) {
  await page.goto(`${organisation.console}/account`);
  const form = page.locator("form[action='/account/passkeys']");
  await form.locator("input[name=name]").fill(name);
  await form.locator("input[name=password]").fill(account.password);
  await form.locator("button").click();
}

const byPasskey = (page) => page.locator("form[action='/sign-in/passkey'] button").click();
async function signOut(page) {
  await page.locator("summary[aria-label='Account']").click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.locator("form[action='/sign-in']").waitFor();
}
const signedIn = (page) => page.locator("nav[aria-label] a[href='/']").first().waitFor();

test("a passkey is registered, signs in alone and beside the password, is renamed and removed", async () => {
  const { user } = organisation;
  const page = await atConsole(browser, organisation, user);
  const device = await authenticator(page);
  await register(page, user, "Work phone");
  const codes = page.locator("#codes li");
  await codes.first().waitFor();
  const recovery = (await codes.allTextContents()).map((code) => code.trim());
  assert.equal(recovery.length, 10, "recovery codes are shown once");
  assert.equal((await device.credentials()).length, 1);
  await page.goto(`${organisation.console}/account`);
  await page.getByText("Work phone").first().waitFor();
  await picture(page, "passkeys");

  // Alone: no name, no password.
  await signOut(page);
  await page.goto(`${organisation.console}/sessions`);
  await page.locator("form[action='/sign-in']").waitFor();
  await picture(page, "sign-in-passkey");
  await byPasskey(page);
  await page.waitForURL(`${organisation.console}/sessions`);

  // Beside the password, which alone opens nothing any more.
  await signOut(page);
  await page.goto(`${organisation.console}/`);
  await signIn(page, user);
  await page.waitForURL(`${organisation.console}/sign-in/factor`);
  await picture(page, "factor-passkey");
  await byPasskey(page);
  await signedIn(page);

  // A person whom the authenticator did not know is not let in.
  await signOut(page);
  await page.goto(`${organisation.console}/sign-in`);
  await device.verified(false);
  await byPasskey(page);
  await page.getByText("No passkey was confirmed").waitFor();
  await device.verified(true);
  await byPasskey(page);
  await signedIn(page);

  await page.goto(`${organisation.console}/account`);
  await page.locator("summary", { hasText: "Rename" }).click();
  const rename = page.locator("form[action^='/account/passkeys/pky_']").first();
  await rename.locator("input[name=name]").fill("Old phone");
  await rename.locator("button").click();
  await page.waitForURL(/done=saved/);
  await page.getByText("Old phone").first().waitFor();
  await page.locator("summary", { hasText: "Remove the passkey" }).click();
  const remove = page.locator("form[action$='/delete'][action^='/account/passkeys/']");
  await remove.locator("input[name=password]").fill(user.password);
  await remove.locator("button").click();
  await page.locator("dialog button.danger").click();
  await page.waitForURL(/done=passkey-removed/);

  await signOut(page);
  await page.goto(`${organisation.console}/sign-in`);
  await byPasskey(page);
  await page.getByRole("alert").waitFor();
  await signIn(page, user);
  await signedIn(page);
  await leave(page);
});

test("a recovery code stands in for a lost passkey; a wrong password makes none", async () => {
  const account = organisation.approver;
  const page = await atConsole(browser, organisation, account);
  const device = await authenticator(page, { transport: "usb" });
  await register(page, { password: "wrong" }, "Security key");
  await page.getByText("The password is wrong").or(page.locator("[data-said]:not(:empty)")).first().waitFor();
  assert.equal((await device.credentials()).length, 0, "nothing was made");
  await register(page, account, "Security key");
  const code = (await page.locator("#codes li").first().textContent()).trim();
  await leave(page);

  const elsewhere = await person(browser, { lang: "ja" });
  await elsewhere.goto(`${organisation.console}/`);
  await signIn(elsewhere, account);
  await elsewhere.waitForURL(`${organisation.console}/sign-in/factor`);
  await picture(elsewhere, "factor-passkey-ja");
  await elsewhere.locator("details.inline summary").click();
  await elsewhere.locator("input[name=recovery_code]").fill(code);
  await elsewhere.locator("details.inline form button").click();
  await signedIn(elsewhere);
  await leave(elsewhere);
});

test("a copied key is found out by its count", async () => {
  const account = organisation.administrator;
  const page = await atConsole(browser, organisation, account);
  const device = await authenticator(page);
  await register(page, account, "Laptop");
  await page.locator("#codes li").first().waitFor();
  const [credential] = await device.credentials();
  const twice = async () => {
    await page.context().clearCookies();
    await page.goto(`${organisation.console}/sign-in`);
    await byPasskey(page);
  };
  await twice();
  await signedIn(page);
  // The copy starts from the count that the key had when it was copied.
  await device.take(credential);
  await device.add({ ...credential, signCount: credential.signCount });
  await twice();
  await page.getByRole("alert").waitFor();
  // The copy goes on counting, and the key itself has not been used since: from here on nobody can tell.
  await twice();
  await signedIn(page);
  await page.goto(`${organisation.console}/history?action=passkey.suspect`);
  await page.locator("main table").getByText("Passkey perhaps copied").first().waitFor();
  await leave(page);
});
