// One press signs three real browsers out, and none of them keeps what the pages had stored.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { atConsole, launch, leave, person, picture, signIn } from "./browser.mjs";
import { Demo } from "./demo.mjs";

let demo, browser;
before(async () => {
  demo = await Demo.start();
  browser = await launch(demo);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** Leaves something in every storage that a page has. */
function leaveTraces(page) {
  return page.evaluate(async () => {
    localStorage.setItem("draft", "kept");
    sessionStorage.setItem("draft", "kept");
    await (await caches.open("pages")).put("/kept", new Response("kept"));
    await new Promise((resolve, reject) => {
      const asked = indexedDB.open("drafts", 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore("drafts").put("kept", 1);
      asked.onsuccess = () => resolve(asked.result.close());
      asked.onerror = () => reject(asked.error);
    });
  });
}

function traces(page) {
  return page.evaluate(async () => ({
    local: localStorage.getItem("draft"),
    caches: await caches.keys(),
    databases: (await indexedDB.databases()).map((found) => found.name),
  }));
}
const NOTHING = { local: null, caches: [], databases: [] };

test("one press signs three browsers out, and each forgets what it kept", async () => {
  const [organisation] = demo.organisations;
  const pages = [];
  for (let n = 0; n < 3; n += 1) pages.push(await atConsole(browser, organisation, organisation.user));
  for (const page of pages) {
    await leaveTraces(page);
    assert.deepEqual(await traces(page), { local: "kept", caches: ["pages"], databases: ["drafts"] });
  }
  const [first, ...others] = pages;
  await first.goto(`${organisation.console}/sessions`);
  assert.equal(await first.locator("tbody tr").count(), 3);
  await picture(first, "devices");
  await first.locator("form[action='/sessions/end-all'] button").click();
  await first.locator("dialog button[value=yes]").click();
  await first.getByText("You have signed out everywhere.").waitFor();
  assert.deepEqual(await traces(first), NOTHING);
  for (const page of others) {
    await page.goto(`${organisation.console}/account`);
    await page.locator("form[action='/sign-in']").waitFor();
    assert.deepEqual(await traces(page), NOTHING, "also where the sign-out came from elsewhere");
  }
  for (const page of pages) await leave(page);
});

test("the application's own host forgets too, when the administrator deactivates its user", async () => {
  const [, organisation] = demo.organisations;
  const page = await person(browser);
  await page.goto(`${organisation.application}/`);
  await signIn(page, organisation.user);
  await page.waitForURL(`${organisation.application}/**`);
  await leaveTraces(page);

  const admin = await atConsole(browser, organisation, organisation.administrator);
  await admin.goto(`${organisation.console}/users?name=${organisation.user.name}`);
  await admin.locator("tbody a").click();
  await admin.locator("form[action$='/disable'] button").click();
  await admin.locator("dialog button[value=yes]").click();
  await admin.locator("form[action$='/enable'] button").waitFor();

  await page.goto(`${organisation.application}/`);
  await page.locator("form[action='/sign-in']").waitFor();
  await page.goto(`${organisation.application}/.sekisho/none`);
  assert.deepEqual(await traces(page), NOTHING);
  await leave(page);
  await leave(admin);
});
