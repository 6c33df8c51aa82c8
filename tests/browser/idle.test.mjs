// Thirty minutes without activity sign a person out, in the open page too. The server's clock and the browser's are moved.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, leave, person, picture, signIn } from "./browser.mjs";
import { Demo } from "./demo.mjs";

const MINUTE = 60;

let demo, browser;
before(async () => {
  demo = await Demo.start({ clock: true });
  browser = await launch(demo);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

test("an idle page empties itself; a busy one stays", async () => {
  const [organisation] = demo.organisations;
  const page = await person(browser);
  await page.clock.install();
  let now = 0;
  const pass = async (minutes) => {
    now += minutes * MINUTE;
    demo.advance(now);
    await page.clock.fastForward(minutes * MINUTE * 1_000);
  };
  await page.goto(`${organisation.console}/`);
  await signIn(page, organisation.administrator);
  await page.locator("a[href='/users']").first().click();
  await page.locator("table").waitFor();

  await pass(20);
  assert.ok(await page.locator("table").isVisible(), "twenty minutes are not thirty");
  await page.reload();
  await page.locator("table").waitFor();
  await pass(20);
  assert.ok(await page.locator("table").isVisible(), "activity has begun the thirty minutes anew");

  await pass(11);
  await page.getByRole("heading", { name: "You are signed out" }).waitFor();
  assert.doesNotMatch(await page.content(), new RegExp(organisation.user.name + "<"), "nothing stays on the screen");
  assert.equal(await page.locator("table").count(), 0);
  await picture(page, "idle");

  await page.getByRole("link").click();
  await page.locator("form[action='/sign-in']").waitFor();
  await page.goto(`${organisation.console}/users`);
  await page.locator("form[action='/sign-in']").waitFor();
  await leave(page);
});
