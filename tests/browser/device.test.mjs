// The sample's notes stay on the device, sealed, for as long as the session lives and no longer.
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

/** Every byte of every record of every database of the page's origin, as text. */
function lying(page) {
  return page.evaluate(async () => {
    let text = "";
    const wait = (request) => new Promise((yes, no) => { request.onsuccess = () => yes(request.result); request.onerror = () => no(request.error); });
    for (const { name } of await indexedDB.databases()) {
      const opened = await wait(indexedDB.open(name));
      for (const store of opened.objectStoreNames) {
        const records = opened.transaction(store).objectStore(store);
        for (const one of [...(await wait(records.getAll())), ...(await wait(records.getAllKeys()))]) {
          for (const part of one.sealed ? [one.sealed, one.iv] : [one]) text += typeof part === "string" ? part : new TextDecoder("latin1").decode(part);
        }
      }
      opened.close();
    }
    return text;
  });
}

async function atNotes(organisation) {
  const page = await person(browser);
  await page.goto(`${organisation.application}/notes`);
  await signIn(page, organisation.user);
  await page.waitForURL(`${organisation.application}/notes`);
  await page.locator("#state").waitFor();
  return page;
}

async function write(page) {
  await page.locator("#draft").fill("the draft of a bid");
  await page.locator("#add input").fill("Shinobu Arai");
  await page.locator("#add button").click();
  await page.getByText("Shinobu Arai").waitFor();
}

test("notes are there after the page is opened anew, and lie sealed", async () => {
  const page = await atNotes(demo.organisations[0]);
  await write(page);
  await page.reload();
  await page.locator("#state").waitFor();
  assert.equal(await page.locator("#draft").inputValue(), "the draft of a bid");
  await page.getByText("Shinobu Arai").waitFor();
  const bytes = await lying(page);
  assert.ok(bytes.length > 100);
  for (const secret of ["draft", "bid", "Shinobu", "contacts"]) assert.equal(bytes.includes(secret), false, secret);
  await picture(page, "notes");
  await leave(page);
});

test("the page's own sign-out leaves nothing behind", async () => {
  const [organisation] = demo.organisations;
  const page = await atNotes(organisation);
  await write(page);
  await page.locator("#out").click();
  await page.locator("form[action='/sign-in']").waitFor();
  await page.goto(`${organisation.application}/.sekisho/device.js`);
  assert.deepEqual(await page.evaluate(() => indexedDB.databases()), []);
  await leave(page);
});

test("a page that is left open forgets when the administrator ends its session", async () => {
  const organisation = demo.organisations[1];
  const page = await atNotes(organisation);
  await write(page);
  const admin = await atConsole(browser, organisation, organisation.administrator);
  await admin.goto(`${organisation.console}/users?name=${organisation.user.name}`);
  await admin.locator("tbody a").click();
  await admin.locator("form[action$='/disable'] button").click();
  await admin.locator("dialog button[value=yes]").click();
  await admin.locator("form[action$='/enable'] button").waitFor();
  // It asks by itself after a while; coming back to the tab asks at once.
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await page.locator("form[action='/sign-in']").waitFor();
  await page.goto(`${organisation.application}/.sekisho/device.js`);
  assert.deepEqual(await page.evaluate(() => indexedDB.databases()), []);
  await leave(page);
  await leave(admin);
});
