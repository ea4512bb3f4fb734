import { randomUUID } from "node:crypto";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { openBrowser, PHONE, seriousFaults, type Look, type TestBrowser } from "../support/browser.ts";
import type { HttpClient } from "../support/http-client.ts";
import { logInAs } from "../support/pages-site.ts";
import { openSandbox, type Sandbox } from "../support/sandbox.ts";
import { until } from "../support/until.ts";
import type { Program } from "../../tools/stack/programs.ts";

const DECIDED_WITHIN_MS = 20_000;

describe("the buyer's page at /, in Chromium", function () {
  this.timeout(120_000);
  let browser: TestBrowser | undefined;
  let sandbox: Sandbox;
  let api: Program;
  let worker: Program;
  let http: HttpClient;
  const open: { page: Page; faults: string[]; close: () => Promise<void> }[] = [];

  before(async function () {
    browser = await openBrowser();
    if (!browser) {
      process.stdout.write("    There is no Chromium here: the buyer's page is not tested in a browser.\n");
      this.skip();
    }
    sandbox = await openSandbox();
    [api, worker] = await Promise.all([sandbox.start("api"), sandbox.start("worker")]);
    http = sandbox.client(api);
  });
  afterEach(async () => {
    worker.kill("SIGCONT");
    const faults = open.flatMap((one) => one.faults);
    for (const one of open.splice(0)) await one.close();
    expect(faults, "errors in the page").to.deep.equal([]);
  });
  after(async () => {
    await browser?.close();
    await (sandbox as Sandbox | undefined)?.close();
  });

  async function visit(look?: Look): Promise<Page> {
    const visitor = await browser!.open(look);
    open.push(visitor);
    await visitor.page.goto(`${api.url}/`);
    return visitor.page;
  }
  async function signedIn(): Promise<Page> {
    const page = await visit();
    const [buyer] = await sandbox.users(1);
    await logInAs(page, `${api.url}/`, buyer!);
    await page.getByText(`Signed in as ${buyer!.username}`).waitFor();
    return page;
  }
  const card = (page: Page, id: number) => page.locator(`[data-sale='${id}']`);
  const status = (page: Page, id: number, wanted: string) =>
    card(page, id).locator(`.note[data-status=${wanted}]`).waitFor();
  const rows = (id: number) => sandbox.rowsOf(id);

  it("goes from sign-up to a paid order", async () => {
    const { id } = await sandbox.openSale(http, { stock: 3 });
    const page = await visit();
    const name = `page-${randomUUID().slice(0, 8)}`;
    const entry = page.locator("#sign-up form");
    await entry.locator("[name=username]").fill(name);
    await entry.locator("[name=email]").fill("no address");
    await entry.locator("[name=password]").fill("correct horse battery");
    await entry.locator("[type=submit]").click();
    await page.getByText("email must be a valid email").waitFor();
    await entry.locator("[name=email]").fill(`${name}@example.com`);
    await entry.locator("[type=submit]").click();
    await page.getByText(`Welcome, ${name}.`).waitFor();
    await card(page, id).locator("[data-buy]").click();
    await status(page, id, "SUCCESS");
    await card(page, id).getByText("2 left").waitFor();
    expect(await rows(id)).to.have.lengthOf(1);
  });

  it("buys once at a double click", async () => {
    const { id } = await sandbox.openSale(http, { stock: 9, perUserLimit: 5 });
    const page = await signedIn();
    await card(page, id).locator("[data-buy]").dblclick();
    await status(page, id, "SUCCESS");
    expect(await rows(id)).to.have.lengthOf(1);
  });

  it("goes on with the same order after a reload while it is PENDING", async () => {
    const { id } = await sandbox.openSale(http, { stock: 9, perUserLimit: 5 });
    const page = await signedIn();
    worker.kill("SIGSTOP");
    await card(page, id).locator("[data-buy]").click();
    await status(page, id, "PENDING");
    const order = await card(page, id).locator(".note").getAttribute("data-order");
    await page.reload();
    worker.kill("SIGCONT");
    await status(page, id, "SUCCESS");
    expect(await card(page, id).locator(".note").getAttribute("data-order")).to.equal(order);
    expect((await rows(id)).map((row) => row.id)).to.deep.equal([order]);
  });

  it("asks again under the same key when the answer is lost, and when the connection is", async () => {
    const { id } = await sandbox.openSale(http, { stock: 9, perUserLimit: 5 });
    const page = await signedIn();
    const keys: (string | undefined)[] = [];
    await page.route("**/api/orders", async (route) => {
      if (route.request().method() !== "POST") {
        await route.continue();
        return;
      }
      keys.push(route.request().headers()["idempotency-key"]);
      if (keys.length === 1) {
        await route.fetch(); // it reaches the API, and its answer nobody
        await route.abort("connectionreset");
      } else if (keys.length === 2) await route.abort("internetdisconnected");
      else await route.continue();
    });
    await card(page, id).locator("[data-buy]").click();
    await status(page, id, "SUCCESS");
    expect(keys).to.have.lengthOf(3);
    expect(new Set(keys).size).to.equal(1);
    expect(await rows(id)).to.have.lengthOf(1);
  });

  it("says why nothing was taken, and the next click is a new wish", async () => {
    const { id } = await sandbox.openSale(http, { stock: 9 });
    const page = await signedIn();
    const buying = card(page, id).locator("[data-buy]");
    await buying.click();
    await status(page, id, "SUCCESS");
    await buying.click();
    await card(page, id).getByText("You have bought as many as you may.").waitFor();
    expect(await rows(id)).to.have.lengthOf(1);
  });

  it("opens a coming sale when the server's clock says so, whatever the visitor's says", async () => {
    const { id } = await sandbox.openSale(http, { stock: 9, startTime: Date.now() + 6_000 });
    const visitor = await browser!.open();
    open.push(visitor);
    // Two hours fast.
    await visitor.page.addInitScript(() => {
      const real = Date.now;
      Date.now = () => real() + 7_200_000;
    });
    await visitor.page.goto(`${api.url}/`);
    const box = card(visitor.page, id);
    await box.getByText(/^starts in 00:00:0\d$/).waitFor();
    await until(
      "it is open",
      async () => /ends in 00:5\d/.test((await box.textContent()) ?? ""),
      DECIDED_WITHIN_MS,
    );
  });

  for (const [name, look] of Object.entries({
    "on a desktop, dark": { dark: true },
    "on a phone, light, in Korean": { size: PHONE, locale: "ko-KR" },
  } satisfies Record<string, Look>)) {
    it(`has no serious fault for axe-core and nothing to scroll sideways, ${name}`, async () => {
      await sandbox.openSale(http, { stock: 5 });
      const page = await visit(look);
      await page.locator("[data-sale]").first().waitFor();
      expect(await seriousFaults(page)).to.deep.equal([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).to.be.at.most(0);
    });
  }
});
