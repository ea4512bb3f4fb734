import { readFileSync } from "node:fs";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { openBrowser, PHONE, seriousFaults, type Look, type TestBrowser } from "../support/browser.ts";
import { createHistory } from "../support/history.ts";
import type { HttpClient } from "../support/http-client.ts";
import { logInAs, textOf, valueOf } from "../support/pages-site.ts";
import { rush } from "../support/rush.ts";
import { openSandbox, type Sandbox } from "../support/sandbox.ts";
import { until } from "../support/until.ts";
import { TOPICS } from "../../shared/kafka/topics.ts";

const ORDERS = 500;
const STOCK = 450;
const SEEN_WITHIN_MS = 30_000;

describe("the dashboard at /admin, in Chromium", function () {
  this.timeout(120_000);
  let browser: TestBrowser | undefined;
  let sandbox: Sandbox;
  let http: HttpClient;
  let second: HttpClient;
  let address: string;
  const open: { page: Page; faults: string[]; close: () => Promise<void> }[] = [];

  before(async function () {
    browser = await openBrowser();
    if (!browser) {
      process.stdout.write("    There is no Chromium here: the dashboard is not tested in a browser.\n");
      this.skip();
    }
    sandbox = await openSandbox();
    const [api, other] = await Promise.all([
      sandbox.start("api"),
      sandbox.start("api", { name: "api-2" }),
      sandbox.start("worker"),
    ]);
    http = sandbox.client(api);
    second = sandbox.client(other);
    address = `${api.url}/admin`;
  });
  afterEach(async () => {
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
    await logInAs(visitor.page, address, sandbox.host);
    await visitor.page.locator("nav a[aria-current]").waitFor();
    return visitor.page;
  }

  it("lets administrators in, and nobody else", async () => {
    const [user] = await sandbox.users(1);
    const visitor = await browser!.open();
    open.push(visitor);
    await logInAs(visitor.page, address, user!);
    await visitor.page.getByText("This account is no administrator's.").waitFor();
    expect(await visitor.page.locator("nav a[href='#/letters']").count()).to.equal(0);
  });

  it("opens a sale by keyboard alone, and shows beside its field what the API refuses", async () => {
    const page = await visit();
    await page.goto(`${address}#/new`);
    const field = page.locator("[name=title]");
    await field.focus();
    await page.keyboard.type("Keyboard sale");
    for (const text of ["0", undefined, "25"]) {
      await page.keyboard.press("Tab");
      if (text !== undefined) await page.keyboard.type(text);
    }
    await page.keyboard.press("Enter");
    const price = page.locator("[name=price]");
    await page.locator("[name=price][aria-invalid=true]").waitFor();
    const fault = await price.evaluate(
      (input) => document.getElementById(input.getAttribute("aria-describedby")!.split(" ")[1]!)?.textContent,
    );
    expect(fault).to.match(/price must be greater than or equal to 1/);
    expect(await price.evaluate((input) => input === document.activeElement)).to.equal(true);
    await page.keyboard.press("Control+A");
    await page.keyboard.type("12900");
    await page.keyboard.press("Enter");
    await page.waitForURL(/#\/sales\/\d+$/);
    await page.getByRole("heading", { name: "Keyboard sale" }).waitFor();
    const id = Number(/\d+$/.exec(page.url())![0]);
    const [row] = await sandbox.database.rows<{ stock: number; price: number }>(
      "SELECT stock, price FROM products WHERE id = ?",
      [id],
    );
    expect(row).to.deep.equal({ stock: 25, price: 12_900 });
  });

  it(`shows ${ORDERS} orders arrive; in the end its numbers are the database's`, async () => {
    const { id } = await sandbox.openSale(http, { stock: STOCK });
    const page = await visit();
    await page.goto(`${address}#/sales/${id}`);
    await page.locator("[data-number=accepted] dd[data-value='0']").waitFor();
    const buyers = await sandbox.users(ORDERS);
    // Over two processes: the numbers are those of both.
    await rush({
      ...{ http: [http, second], history: createHistory(), productId: id, buyers },
      ...{ persist: true, perSecond: 250 },
    });
    const numberOf = (name: string) => valueOf(page, `[data-number='${name}'] dd`);
    await until(
      "all is settled and shown",
      async () => (await numberOf("settled")) === STOCK && (await numberOf("refused")) === ORDERS - STOCK,
      SEEN_WITHIN_MS,
    );
    const [row] = await sandbox.database.rows<{ sold: number; stock: number }>(
      "SELECT sold, stock FROM products WHERE id = ?",
      [id],
    );
    const settlements = await sandbox.database.rows("SELECT id FROM settlements WHERE product_id = ?", [id]);
    await until("nothing is undecided", async () => (await numberOf("undecided")) === 0, SEEN_WITHIN_MS);
    expect(settlements).to.have.lengthOf(STOCK);
    expect([await numberOf("accepted"), await numberOf("settled")]).to.deep.equal([STOCK, STOCK]);
    expect(await numberOf("stock left")).to.equal(row!.stock - row!.sold);
    await page.getByText(`${row!.sold} of ${row!.stock} sold`).first().waitFor();
    await page.locator("[data-light=consistent]").first().waitFor();
    expect(await valueOf(page, "[data-fact=p99] dd")).to.be.above(0);
    expect(await page.locator(".chart canvas").count()).to.equal(1);
  });

  it("adds stock, and ends a sale when it is told twice", async () => {
    const { id } = await sandbox.openSale(http, { stock: 5 });
    const page = await visit();
    await page.goto(`${address}#/sales/${id}`);
    await page.locator("[name=stock]").fill("7");
    await page.getByRole("button", { name: "Add stock" }).click();
    await page.getByText("0 of 12 sold").first().waitFor();
    await page.locator("[name=endTime]").fill("2001-01-01T00:00:00");
    await page.getByRole("button", { name: "End earlier" }).click();
    await page.getByText("endTime must be after startTime").waitFor();
    await page.getByRole("button", { name: "End now", exact: true }).click();
    await page.getByRole("button", { name: /^End this sale now\?/ }).click();
    await page.getByText("closed", { exact: true }).first().waitFor();
    const [row] = await sandbox.database.rows<{ stock: number; ended: number }>(
      "SELECT stock, end_time <= UTC_TIMESTAMP(3) AS ended FROM products WHERE id = ?",
      [id],
    );
    expect(row).to.deep.equal({ stock: 12, ended: 1 });
  });

  it("replays one dead letter, and discards another with a reason", async () => {
    const letters = () =>
      sandbox.database.rows<{ id: number; status: string }>(
        "SELECT id, status FROM dead_letters ORDER BY id",
      );
    const parked: { id: number }[] = [];
    for (const value of ["{ first", "<b>second</b>"]) {
      await sandbox.producer.send({ topic: TOPICS.orders, messages: [{ value }] });
      const rows = await until(
        `${value} is parked`,
        async () => {
          const all = await letters();
          return all.length > parked.length && all;
        },
        SEEN_WITHIN_MS,
      );
      parked.push(rows.at(-1)!);
    }
    const page = await visit();
    await page.goto(`${address}#/letters`);
    await page.locator(`[data-letter='${parked[0]!.id}'] a`).click();
    await page.getByText("{ first").waitFor();
    await page.getByRole("button", { name: "Replay" }).click();
    await page.getByText("The letter is replayed.").waitFor();
    await page.goto(`${address}#/letters/${parked[1]!.id}`);
    await page.getByText("<b>second</b>").waitFor();
    await page.getByRole("button", { name: "Discard" }).click();
    await page.getByText("reason is not allowed to be empty").waitFor();
    await page.locator("[name=reason]").fill("a test producer");
    await page.getByRole("button", { name: "Discard" }).click();
    await page.getByText("The letter is discarded.").waitFor();
    const rows = await letters();
    expect(rows.slice(0, 2).map(({ status }) => status)).to.deep.equal(["replayed", "discarded"]);
  });

  it("shows settlements with their totals, as the database has them", async () => {
    const { id } = await sandbox.openSale(http, { stock: 3, price: 1_000 });
    for (const { token } of await sandbox.users(3)) await http.post("/api/orders", { productId: id }, token);
    await until("all are settled", async () => (await sandbox.rowsOf(id)).length === 3, SEEN_WITHIN_MS);
    const page = await visit();
    await page.goto(`${address}#/settlements/${id}`);
    await page.locator("tbody tr").nth(2).waitFor();
    expect(await textOf(page, "[data-total=count]")).to.equal("3");
    expect(await textOf(page, "[data-total=amount]")).to.equal("₩3,000");
    const [file] = await Promise.all([page.waitForEvent("download"), page.locator("[data-csv]").click()]);
    const lines = readFileSync(await file.path(), "utf8")
      .trim()
      .split(/\r?\n/);
    expect(file.suggestedFilename()).to.equal(`settlements-${id}.csv`);
    expect(lines.length, "a head and three settlements").to.be.at.least(4);
    for (const { id: orderId } of await sandbox.rowsOf(id)) expect(lines.join()).to.contain(orderId);
  });

  it("speaks Korean to who does, and the other language at a click", async () => {
    const page = await visit({ locale: "ko-KR" });
    await page.getByRole("heading", { name: "판매", exact: true }).waitFor();
    expect(await page.locator("html").getAttribute("lang")).to.equal("ko");
    await page.locator("[data-language]").click();
    await page.getByRole("heading", { name: "Sales", exact: true }).waitFor();
  });

  it("goes back to the log-in when its token is refused", async () => {
    const page = await visit();
    await page.getByText("live", { exact: true }).first().waitFor();
    const token = await page.evaluate(
      () => (JSON.parse(sessionStorage.getItem("flashpay.session")!) as { token: string }).token,
    );
    await http.post("/api/users/logout", {}, token);
    await page.getByText("Your session is over. Log in again.").waitFor();
  });

  it("runs no script but its own files, and loads nothing from elsewhere", async () => {
    const visitor = await browser!.open();
    open.push(visitor);
    const foreign: string[] = [];
    visitor.page.on("request", (asked) => {
      if (!asked.url().startsWith(new URL(address).origin) && !asked.url().startsWith("data:"))
        foreign.push(asked.url());
    });
    const answer = await visitor.page.goto(address);
    const policy = answer!.headers()["content-security-policy"] ?? "";
    expect(policy)
      .to.match(/script-src 'self'(;|$)/)
      .and.match(/script-src-attr 'none'/);
    await visitor.page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "document.title = 'taken'";
      document.body.append(script);
    });
    expect(await visitor.page.title()).not.to.equal("taken");
    visitor.faults.length = 0; // the refusal of that script
    expect(foreign).to.deep.equal([]);
  });

  it("is kept by browsers, which ask each time whether it is still the same", async () => {
    for (const path of ["/admin", "/", "/pages/admin.js", "/pages/buyer.css"]) {
      const { status, headers } = await http.get(path);
      expect([status, headers["cache-control"]], path).to.deep.equal([200, "no-cache"]);
      const same = await http.send("GET", path, { headers: { "If-None-Match": headers.etag! } });
      expect([same.status, same.text], path).to.deep.equal([304, ""]);
    }
    for (const path of [
      "/pages/",
      "/pages/none.js",
      "/pages/../app.ts",
      "/pages/%2e%2e/app.ts",
      "/admin.html",
    ])
      expect((await http.get(path)).status, path).to.equal(404);
  });

  for (const [name, look] of Object.entries({
    "on a desktop, light": {},
    "on a phone, dark, in Korean": { size: PHONE, dark: true, locale: "ko-KR" },
  } satisfies Record<string, Look>)) {
    it(`has no serious fault for axe-core and nothing to scroll sideways, ${name}`, async () => {
      const { id } = await sandbox.openSale(http, { stock: 5 });
      const [letter] = await sandbox.database.rows<{ id: number }>("SELECT MIN(id) AS id FROM dead_letters");
      const page = await visit(look);
      const views = [
        "#/",
        `#/sales/${id}`,
        "#/new",
        "#/letters",
        `#/letters/${letter!.id}`,
        `#/settlements/${id}`,
      ];
      for (const view of views) {
        await page.goto(`${address}${view}`);
        await page.locator("main h1").waitFor();
        await page.waitForLoadState("networkidle", { timeout: 1_500 }).catch(() => undefined);
        expect(await seriousFaults(page), view).to.deep.equal([]);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(wide, `${view} is wider than its window by`).to.be.at.most(0);
      }
    });
  }
});
