// What a role does not give is neither shown nor done.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { atConsole, launch, leave, picture } from "./browser.mjs";
import { Demo } from "./demo.mjs";

let demo, browser, organisation;
before(async () => {
  demo = await Demo.start();
  browser = await launch(demo);
  [organisation] = demo.organisations;
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

test("a user is refused the administrator's pages, and does not see the way to them", async () => {
  const page = await atConsole(browser, organisation, organisation.user);
  const shown = await page.locator("nav a").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
  assert.ok(!shown.includes("/users"), shown.join(" "));
  for (const path of ["/users", "/roles", "/sites", "/addresses", "/history"]) {
    const answer = await page.goto(`${organisation.console}${path}`);
    assert.equal(answer.status(), 403, path);
  }
  await picture(page, "refused");
  await leave(page);
});

test("a form taken from an administrator's page does nothing in a user's hands", async () => {
  const page = await atConsole(browser, organisation, organisation.user);
  const csrf = await page.locator("input[name=csrf]").first().inputValue();
  const answer = await page.evaluate(
    async ([csrf]) => {
      const body = new URLSearchParams({ csrf, name: "intruder", display_name: "Intruder", type: "administrator" });
      const sent = await fetch("/users", { method: "POST", body, redirect: "manual" });
      return sent.status;
    },
    [csrf],
  );
  assert.equal(answer, 403);
  await leave(page);

  const administrator = await atConsole(browser, organisation, organisation.administrator);
  await administrator.goto(`${organisation.console}/users`);
  await administrator.locator("table").waitFor();
  assert.doesNotMatch(await administrator.locator("table").innerText(), /intruder/i);
  await administrator.goto(`${organisation.console}/history`);
  await administrator.locator("table").waitFor();
  await picture(administrator, "history");
  await leave(administrator);
});
