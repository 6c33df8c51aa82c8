// The firewall as people meet it: a blocked request, its trace on the page, and the way from a false positive to an exclusion.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { atConsole, launch, leave, person, picture } from "./browser.mjs";
import { Demo } from "./demo.mjs";

const ATTACK = "/search?q=1%27%20or%20%271%27%3D%271";

let demo, browser, organisation;
before(async () => {
  demo = await Demo.start();
  browser = await launch(demo);
  [, organisation] = demo.organisations;
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

test("an attack is stopped, shown to the administrator, and a false positive excluded with its reason", async () => {
  const page = await person(browser, { lang: "en" });
  const stopped = await page.goto(`${organisation.application}${ATTACK}`);
  assert.equal(stopped.status(), 403);
  const told = await page.locator("main").innerText();
  assert.match(told, /looks like an attack/);
  assert.match(told, /遮断されました/);
  assert.match(told, /Trace [0-9a-f]{32}/);
  await picture(page, "firewall-stopped");
  await leave(page);

  const desk = await atConsole(browser, organisation, organisation.administrator, { lang: "en" });
  await desk.goto(`${organisation.console}/firewall`);
  const row = desk.locator("table tbody tr", { hasText: "/search" }).filter({ has: desk.locator("a.button") }).first();
  assert.match(await row.innerText(), /ARGS:q/);
  assert.match(await desk.locator("#h-set").locator("xpath=../..").innerText(), /Sekisho base/);
  await picture(desk, "firewall-en");
  await row.locator("a.button").click();
  await desk.waitForLoadState();
  assert.equal(await desk.locator("input[name=part]").inputValue(), "ARGS:q");
  assert.match(await desk.locator("main").innerText(), /Requests tried/);
  await picture(desk, "firewall-exclude-en");
  await desk.locator("input[name=reason]").fill("our search shows quoted words");
  await desk.locator("form[action='/firewall/exclude'] button.primary").click();
  await desk.waitForURL(/firewall\?done=created/);
  assert.match(await desk.locator("main").innerText(), /our search shows quoted words/);
  await desk.goto(`${organisation.console}/firewall/try?paranoia=3&threshold=5`);
  assert.match(await desk.locator("main").innerText(), /Blocked with the change/);
  await leave(desk);
});
