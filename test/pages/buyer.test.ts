import { randomUUID } from "node:crypto";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { openBrowser, PHONE, seriousFaults, type Look, type TestBrowser } from "../support/browser.ts";
import type { HttpClient } from "../support/http-client.ts";
import { logInAs } from "../support/pages-site.ts";
import { openSandbox, type Sandbox } from "../support/sandbox.ts";
import { SEEDED_PASSWORD } from "../support/seed.ts";
import { openProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";
import { orderIdOf } from "../../shared/testing/samples.ts";
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
  const sessionOf = (page: Page) =>
    page.evaluate(
      () => JSON.parse(sessionStorage.getItem("flashpay.session")!) as { token: string; username: string },
    );
  const tokenOf = async (page: Page): Promise<string> => (await sessionOf(page)).token;
  async function logInHere(page: Page, username: string): Promise<void> {
    await page.locator("#log-in [name=username]").fill(username);
    await page.locator("#log-in [name=password]").fill(SEEDED_PASSWORD);
    await page.locator("#log-in [type=submit]").click();
    await page.getByText(`Signed in as ${username}`).waitFor();
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

  it("stays one order when the answer is lost, the session ends and its buyer logs in again", async () => {
    const { id } = await sandbox.openSale(http, { stock: 9, perUserLimit: 5 });
    const [buyer, stranger] = await sandbox.users(2);
    const page = await visit();
    await logInAs(page, `${api.url}/`, buyer!);
    await page.getByText(`Signed in as ${buyer!.username}`).waitFor();
    const keys: (string | undefined)[] = [];
    await page.route("**/api/orders", async (route) => {
      if (route.request().method() === "POST") keys.push(route.request().headers()["idempotency-key"]);
      if (keys.length !== 1 || route.request().method() !== "POST") {
        await route.continue();
        return;
      }
      await route.fetch(); // taken, and its answer is lost
      await http.post("/api/users/logout", {}, await tokenOf(page));
      await route.abort("connectionreset");
    });
    const buying = card(page, id).locator("[data-buy]");
    await buying.click();
    await page.getByText("Your session is over. Log in again.").waitFor();
    // Somebody else's wish is another one.
    await logInHere(page, stranger!.username);
    await buying.click();
    await status(page, id, "SUCCESS");
    await page.getByRole("button", { name: "Log out" }).click();
    await page.locator("#log-in").waitFor();
    await logInHere(page, buyer!.username);
    await card(page, id).getByText("There is no answer. Try again: it stays the same order.").waitFor();
    await buying.click();
    await status(page, id, "SUCCESS");
    expect(keys.length, "lost, refused, the stranger's, again").to.equal(4);
    expect([keys[1], keys[3]]).to.deep.equal([keys[0], keys[0]]);
    const users = (await rows(id)).map(({ user_id }) => user_id);
    expect(users).to.have.members([buyer!.id, stranger!.id]);
  });

  it("follows its order on when the session ends while it is PENDING", async () => {
    const { id } = await sandbox.openSale(http, { stock: 9, perUserLimit: 5 });
    const page = await signedIn();
    worker.kill("SIGSTOP");
    await card(page, id).locator("[data-buy]").click();
    await status(page, id, "PENDING");
    const order = await card(page, id).locator(".note").getAttribute("data-order");
    const { username } = await sessionOf(page);
    await http.post("/api/users/logout", {}, await tokenOf(page));
    await page.getByText("Your session is over. Log in again.").waitFor();
    await logInHere(page, username);
    worker.kill("SIGCONT");
    await status(page, id, "SUCCESS");
    expect((await rows(id)).map((row) => row.id)).to.deep.equal([order]);
  });

  it("gives up a stream that has died without a word, and hears its order's end all the same", async () => {
    const { id } = await sandbox.openSale(http, { stock: 9 });
    const [buyer] = await sandbox.users(1);
    const line = await openProxy({ host: "127.0.0.1", port: Number(new URL(api.url).port) });
    try {
      const visitor = await browser!.open();
      open.push(visitor);
      const { page } = visitor;
      await page.clock.install();
      await logInAs(page, `http://127.0.0.1:${line.port}/`, buyer!);
      await page.getByText(`Signed in as ${buyer!.username}`).waitFor();
      worker.kill("SIGSTOP");
      await card(page, id).locator("[data-buy]").click();
      await status(page, id, "PENDING");
      // The end is swallowed with all that comes after it, and the connection is not cut.
      line.trigger({ on: "down", pattern: "SUCCESS", times: 1, act: "mute down", muteMs: 600_000 });
      worker.kill("SIGCONT");
      await until("the end is lost", () => line.acted() === 1, DECIDED_WITHIN_MS);
      await page.clock.fastForward(40_000);
      await status(page, id, "SUCCESS");
    } finally {
      await line.close();
    }
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

  it("tells a Korean buyer why an order failed", async () => {
    const { id } = await sandbox.openSale(http, { stock: 9 });
    const [buyer] = await sandbox.users(1);
    await sandbox.database.run(
      `INSERT INTO orders (id, user_id, product_id, status, fail_reason, quantity, unit_price, currency, accepted_at, decided_at)
       VALUES (?, ?, ?, 'FAILED', 'price_mismatch', 1, 1, 'KRW', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
      [orderIdOf(7), buyer!.id, id],
    );
    const page = await visit({ locale: "ko-KR" });
    await logInAs(page, `${api.url}/`, buyer!);
    await page.locator("#orders").getByText("주문 실패: 판매 가격과 다릅니다.").waitFor();
  });

  for (const [name, look] of Object.entries({
    "on a desktop, dark": { dark: true },
    "on a phone, light, in Korean": { size: PHONE, locale: "ko-KR" },
  } satisfies Record<string, Look>)) {
    it(`has no serious fault for axe-core and nothing to scroll sideways, ${name}`, async () => {
      const { id } = await sandbox.openSale(http, { stock: 5 });
      const page = await visit(look);
      const isFine = async (state: string): Promise<void> => {
        expect(await seriousFaults(page), state).to.deep.equal([]);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(wide, state).to.be.at.most(0);
      };
      await card(page, id).waitFor();
      await isFine("nobody signed in");
      const [buyer] = await sandbox.users(1);
      await logInAs(page, `${api.url}/`, buyer!);
      await page.locator("#log-in").waitFor({ state: "detached" });
      await card(page, id).locator("[data-buy]").click();
      await status(page, id, "SUCCESS");
      await page.locator("#orders li").first().waitFor();
      await isFine("signed in, with an order");
    });
  }
});
