// Every page in Japanese and English, light and dark, wide and narrow, by keyboard, with a name for every control.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { atConsole, launch, leave, person, picture } from "./browser.mjs";
import { Demo } from "./demo.mjs";

const PAGES = ["/", "/users", "/roles", "/sites", "/addresses", "/sessions", "/account", "/history", "/firewall", "/firewall/try", "/firewall/exclude?rule=9100110&part=ARGS:q&path=/search", "/policy", "/claims"];
const KANA = /[\u3040-\u30ff]/;

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

/** Controls without a name, ids used twice, and headings that skip a level. */
function lacks() {
  const found = [];
  for (const control of document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a[href]")) {
    const named =
      control.getAttribute("aria-label") ||
      control.getAttribute("aria-labelledby") ||
      (control.labels && control.labels.length > 0) ||
      control.textContent.trim() ||
      control.querySelector("img[alt]:not([alt=''])");
    if (!named) found.push(control.outerHTML.slice(0, 120));
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  found.push(...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `id ${id} twice`));
  if (document.querySelectorAll("h1").length !== 1) found.push("not one h1");
  if (document.querySelectorAll("main").length !== 1) found.push("not one main");
  return found;
}

for (const lang of ["ja", "en"]) {
  test(`every page says all it says in ${lang}`, async () => {
    const page = await atConsole(browser, organisation, organisation.administrator, { lang });
    for (const path of PAGES) {
      const answer = await page.goto(`${organisation.console}${path}`);
      assert.equal(answer.status(), 200, path);
      assert.equal(await page.locator("html").getAttribute("lang"), lang, path);
      const text = await page.locator("main").innerText();
      // Claims quote their papers, and names are as people write them.
      if (lang === "ja") assert.match(text, KANA, path);
      else if (path !== "/claims") assert.doesNotMatch(text, KANA, path);
      assert.deepEqual(await page.evaluate(lacks), [], path);
      await picture(page, `${lang}${path.replaceAll("/", "-").replace(/-$/, "-overview")}`);
    }
    await leave(page);
  });
}

test("a person chooses language and theme, and the choice stays", async () => {
  const page = await atConsole(browser, organisation, organisation.user, { lang: "en" });
  const display = page.locator("details.menu", { has: page.locator("form[action='/lang']") });
  await display.locator("summary").click();
  await display.getByRole("button", { name: "日本語" }).click();
  await page.locator("html[lang=ja]").waitFor();
  await display.locator("summary").click();
  await display.locator("button[value=dark]").click();
  await page.locator("html[data-theme=dark]").waitFor();
  await page.goto(`${organisation.console}/account`);
  assert.equal(await page.locator("html").getAttribute("lang"), "ja");
  await picture(page, "ja-dark-account");
  await leave(page);
});

test("the sign-in works by keyboard alone", async () => {
  const page = await person(browser, { lang: "ja", dark: true });
  await page.goto(`${organisation.console}/sign-in`);
  await picture(page, "ja-dark-sign-in");
  for (let tabs = 0; tabs < 12; tabs += 1) {
    await page.keyboard.press("Tab");
    if ((await page.evaluate(() => document.activeElement.getAttribute("name"))) === "name") break;
  }
  await page.keyboard.type(organisation.user.name);
  await page.keyboard.press("Tab");
  await page.keyboard.type(organisation.user.password);
  await page.keyboard.press("Enter");
  await page.locator("a[href='/sessions']").first().waitFor({ state: "attached" });
  await leave(page);
});

test("a narrow screen needs no sideways scrolling", async () => {
  const page = await atConsole(browser, organisation, organisation.administrator, { lang: "ja", width: 390 });
  for (const path of ["/", "/users", "/history", "/claims"]) {
    await page.goto(`${organisation.console}${path}`);
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(beyond <= 0, `${path} is ${beyond} pixels too wide`);
    await picture(page, `ja-narrow${path.replaceAll("/", "-").replace(/-$/, "-overview")}`);
  }
  await leave(page);
});
