// Three wrong passwords lock; the host unlocks.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, leave, person, picture, signIn } from "./browser.mjs";
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

test("after three wrong passwords the right one is refused, in the same words, until the host unlocks", async () => {
  const [organisation] = demo.organisations;
  const { user } = organisation;
  const page = await person(browser);
  await page.goto(`${organisation.console}/sign-in`);
  const said = [];
  for (const password of ["wrong-1", "wrong-2", "wrong-3", user.password]) {
    await signIn(page, { name: user.name, password });
    const alert = page.getByRole("alert");
    await alert.waitFor();
    said.push(await alert.innerText());
  }
  await picture(page, "locked-out");
  assert.equal(new Set(said).size, 1, "a locked account and a wrong password look alike");
  await signIn(page, { name: "nobody-of-that-name", password: user.password });
  const unknown = page.getByRole("alert");
  await unknown.waitFor();
  assert.equal(await unknown.innerText(), said[0], "so does a name that nobody has");

  const host = new URL(organisation.console).hostname;
  const tenant = demo.command("tenant", "list").split("\n").find((line) => line.includes(host));
  demo.command("user", "unlock", "--tenant", tenant.match(/ten_[0-9a-f]{32}/)[0], "--name", user.name);
  await signIn(page, user);
  await page.locator("a[href='/sessions']").first().waitFor({ state: "attached" });
  await leave(page);
});
