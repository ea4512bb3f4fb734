import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { openBrowser, PHONE, seriousFaults, type Look, type TestBrowser } from "../support/browser.ts";
import { createHistory } from "../support/history.ts";
import type { HttpClient } from "../support/http-client.ts";
import { logInAs, textOf, valueOf } from "../support/pages-site.ts";
import { rush } from "../support/rush.ts";
import { openSandbox, type Sandbox } from "../support/sandbox.ts";
import { openProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";
import type { Program } from "../../tools/stack/programs.ts";
import { TOPICS } from "../../shared/kafka/topics.ts";

const ORDERS = 500;
const STOCK = 450;
const SEEN_WITHIN_MS = 30_000;
const TAB_STEPS_MAX = 60;

describe("the dashboard at /admin, in Chromium", function () {
  this.timeout(120_000);
  let browser: TestBrowser | undefined;
  let sandbox: Sandbox;
  let http: HttpClient;
  let second: HttpClient;
  let address: string;
  let api: Program;

  const open: { page: Page; faults: string[]; close: () => Promise<void> }[] = [];

  before(async function () {
    browser = await openBrowser();
    if (!browser) {
      process.stdout.write("    There is no Chromium here: the dashboard is not tested in a browser.\n");
      this.skip();
    }
    sandbox = await openSandbox();
    let other: Program;
    [api, other] = await Promise.all([
      sandbox.start("api"),
      sandbox.start("api", { name: "api-2" }),
      sandbox.start("worker"),
    ]);
    http = sandbox.client(api);
    second = sandbox.client(other);
    address = `${api.url}/admin`;
  });
  afterEach(async () => {
    api.kill("SIGCONT");
    const faults = open.flatMap((one) => one.faults);
    for (const one of open.splice(0)) await one.close();
    expect(faults, "errors in the page").to.deep.equal([]);
  });
  after(async () => {
    await browser?.close();
    await (sandbox as Sandbox | undefined)?.close();
  });

  async function visit(look?: Look, at = address): Promise<Page> {
    const visitor = await browser!.open(look);
    open.push(visitor);
    await logInAs(visitor.page, at, sandbox.host);
    await visitor.page.locator("nav a[aria-current]").waitFor();
    return visitor.page;
  }
  /** By the Tab key alone, to what has this name. */
  async function tabTo(page: Page, name: string | RegExp): Promise<void> {
    const wanted = page.getByRole("button", { name }).or(page.getByLabel(name));
    for (let steps = 0; steps < TAB_STEPS_MAX; steps += 1) {
      await page.keyboard.press("Tab");
      if (await wanted.evaluateAll((all) => all.some((one) => one === document.activeElement))) return;
    }
    throw new Error(`Tab does not come to ${String(name)}`);
  }
  const isIn = (page: Page, selector: string) =>
    page.evaluate((place) => document.activeElement?.matches(place) ?? false, selector);
  /** Three buyers' settlements of one sale. */
  async function settledSale(): Promise<number> {
    const { id } = await sandbox.openSale(http, { stock: 3, price: 1_000 });
    for (const { token } of await sandbox.users(3)) await http.post("/api/orders", { productId: id }, token);
    await until("all are settled", async () => (await sandbox.rowsOf(id)).length === 3, SEEN_WITHIN_MS);
    return id;
  }
  const letters = () =>
    sandbox.database.rows<{ id: number; status: string }>("SELECT id, status FROM dead_letters ORDER BY id");
  async function park(value: string): Promise<number> {
    const before = (await letters()).length;
    await sandbox.producer.send({ topic: TOPICS.orders, messages: [{ value }] });
    const rows = await until(
      `${value} is parked`,
      async () => {
        const all = await letters();
        return all.length > before && all;
      },
      SEEN_WITHIN_MS,
    );
    return rows.at(-1)!.id;
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
    const numberOf = (name: string) => valueOf(page, `[data-number='${name}'] dd`);
    const soldAndSettled = () =>
      page.evaluate(() => [
        document.querySelector<HTMLProgressElement>("main progress")!.value,
        Number(document.querySelector<HTMLElement>("[data-number=settled] dd")!.dataset["value"]),
      ]);
    const seen: number[][] = [];
    // Over two processes: the numbers are those of both.
    const rushing = rush({
      ...{ http: [http, second], history: createHistory(), productId: id, buyers },
      ...{ persist: true, perSecond: 250 },
    });
    await until(
      "all is settled and shown",
      async () => {
        seen.push(await soldAndSettled());
        return (await numberOf("settled")) === STOCK && (await numberOf("refused")) === ORDERS - STOCK;
      },
      SEEN_WITHIN_MS,
    );
    await rushing;
    expect(
      seen.filter(([sold, settled]) => sold !== settled),
      "one snapshot is of one instant",
    ).to.deep.equal([]);
    const [row] = await sandbox.database.rows<{ sold: number; stock: number }>(
      "SELECT sold, stock FROM products WHERE id = ?",
      [id],
    );
    const settlements = await sandbox.database.rows("SELECT id FROM settlements WHERE product_id = ?", [id]);
    await until("nothing is undecided", async () => (await numberOf("undecided")) === 0, SEEN_WITHIN_MS);
    expect(settlements).to.have.lengthOf(STOCK);
    const [orders] = await sandbox.database.rows<{ count: number }>(
      "SELECT COUNT(*) AS count FROM orders WHERE product_id = ?",
      [id],
    );
    expect([await numberOf("accepted"), await numberOf("settled")]).to.deep.equal([
      orders!.count,
      settlements.length,
    ]);
    expect(orders!.count).to.equal(STOCK);
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

  it("ends a sale by keyboard alone, and leaves whoever did it where it is told", async () => {
    const { id } = await sandbox.openSale(http, { stock: 5 });
    const page = await visit();
    await page.goto(`${address}#/sales/${id}`);
    await page.getByText("0 of 5 sold").first().waitFor();
    await tabTo(page, /^End now$/);
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.textContent)).to.match(/^End this sale now\?/);
    await page.keyboard.press("Enter");
    await page.getByText("Changed.").waitFor();
    await page.getByText("closed", { exact: true }).first().waitFor();
    await page.getByRole("button", { name: "Add stock" }).waitFor({ state: "hidden" });
    await until("the focus is there", () => isIn(page, ".note"), SEEN_WITHIN_MS);
  });

  it("says that there is no such sale, and shows one that ended days ago as it is stored", async () => {
    const id = await settledSale();
    await sandbox.database.run(
      "UPDATE products SET start_time = start_time - INTERVAL 3 DAY, end_time = end_time - INTERVAL 3 DAY WHERE id = ?",
      [id],
    );
    const page = await visit();
    await page.goto(`${address}#/sales/999999`);
    await page.getByText("There is no such sale.").waitFor();
    await page.goto(`${address}#/`);
    await page.getByRole("button", { name: "More" }).click();
    await page.locator(`a[href='#/sales/${id}']`).click();
    await page.getByText("its orders are not counted live any more").waitFor();
    await page.getByText("3 of 3 sold").waitFor();
    expect(await valueOf(page, "[data-number=settled] dd")).to.equal(3);
    expect(await textOf(page, "[data-number=accepted] dd")).to.equal("unknown");
    await page.getByRole("button", { name: "End now", exact: true }).waitFor({ state: "hidden" });
    await page.locator("[name=title]").fill("An old sale");
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByRole("heading", { name: "An old sale" }).waitFor();
  });

  it("replays one dead letter by keyboard alone, and discards another with a reason", async () => {
    const first = await park("{ first");
    const second = await park("<b>second</b>");
    const page = await visit();
    await page.goto(`${address}#/letters`);
    await page.locator(`[data-letter='${first}'] a`).focus();
    await page.keyboard.press("Enter");
    await page.getByText("{ first").waitFor();
    await tabTo(page, "Replay");
    await page.keyboard.press("Enter");
    await page.getByText("The letter is replayed.").waitFor();
    await until("the focus is there", () => isIn(page, ".note"), SEEN_WITHIN_MS);
    await page.goto(`${address}#/letters/${second}`);
    await page.getByText("<b>second</b>").waitFor();
    await tabTo(page, "Discard");
    await page.keyboard.press("Enter");
    await page.getByText("reason is not allowed to be empty").waitFor();
    await until("the focus is there", () => isIn(page, "[name=reason]"), SEEN_WITHIN_MS);
    await page.keyboard.type("a test producer");
    await page.keyboard.press("Enter");
    await page.getByText("The letter is discarded.").waitFor();
    const status = new Map((await letters()).map((letter) => [letter.id, letter.status]));
    expect([status.get(first), status.get(second)]).to.deep.equal(["replayed", "discarded"]);
  });

  it("shows settlements with their totals, as the database has them", async () => {
    const id = await settledSale();
    const page = await visit();
    await page.goto(`${address}#/settlements/${id}`);
    await page.locator("tbody tr").nth(2).waitFor();
    expect(await textOf(page, "[data-total=count]")).to.equal("3");
    expect(await textOf(page, "[data-total=amount]")).to.equal("₩3,000");
    await page.goto(`${address}#/settlements`);
    const [all] = await sandbox.database.rows<{ count: number; amount: string }>(
      "SELECT COUNT(*) AS count, SUM(amount) AS amount FROM settlements",
    );
    await page.getByText(`₩${Number(all!.amount).toLocaleString("en")}`, { exact: true }).waitFor();
    expect(await textOf(page, "[data-total=count]")).to.equal(all!.count.toLocaleString("en"));
  });

  it("downloads a sale's settlements, with the control sheet of that very file", async () => {
    const id = await settledSale();
    const page = await visit();
    await page.goto(`${address}#/settlements/${id}`);
    const [file] = await Promise.all([page.waitForEvent("download"), page.locator("[data-csv]").click()]);
    const bytes = readFileSync(await file.path());
    const lines = bytes.toString("utf8").trim().split(/\r?\n/);
    expect(file.suggestedFilename()).to.equal(`settlements-${id}.csv`);
    expect(lines, "a head and three settlements").to.have.lengthOf(4);
    for (const { id: orderId } of await sandbox.rowsOf(id)) expect(lines.join()).to.contain(orderId);
    await page.locator("[data-sheet=sha256]").waitFor();
    expect(await textOf(page, "[data-sheet=sha256]")).to.equal(
      createHash("sha256").update(bytes).digest("hex"),
    );
    expect(await textOf(page, "[data-sheet=count]")).to.equal("3");
    expect(await textOf(page, "[data-sheet=amount-KRW]")).to.equal("₩3,000 (3)");
  });

  it("saves nothing of a download that breaks off, and says so", async () => {
    const id = await settledSale();
    const line = await openProxy({ host: "127.0.0.1", port: Number(new URL(api.url).port) });
    try {
      const page = await visit({}, `http://127.0.0.1:${line.port}/admin`);
      const saved: unknown[] = [];
      page.on("download", (file) => saved.push(file));
      await page.goto(`http://127.0.0.1:${line.port}/admin#/settlements/${id}`);
      await page.locator("tbody tr").nth(2).waitFor();
      const broken = page.getByText("The download broke off. Nothing was saved");
      // Before the file's rows; each time, since a browser asks again by itself when nothing at all has come.
      line.trigger({ on: "down", pattern: ",charge,", act: "cut before" });
      await page.locator("[data-csv]").click();
      await broken.waitFor();
      expect(line.acted()).to.be.at.least(1);
      await page.route("**/api/settlements/export**", (route) => route.abort("connectionreset"));
      await page.goto(`http://127.0.0.1:${line.port}/admin#/settlements`);
      await page.locator("[data-csv='/api/settlements/export']").click();
      await broken.waitFor();
      expect(saved).to.deep.equal([]);
    } finally {
      await line.close();
    }
  });

  it("says that it is connecting while the stream is silent, and is live again by itself", async () => {
    const page = await visit();
    const light = page.locator("header [role=status]");
    await light.getByText("live", { exact: true }).waitFor();
    api.kill("SIGSTOP"); // its connections stay open, and nothing comes
    await light.getByText("connecting", { exact: true }).waitFor();
    api.kill("SIGCONT");
    await light.getByText("live", { exact: true }).waitFor();
  });

  it("tells a Korean what was wrong with a log-in and with a field", async () => {
    const visitor = await browser!.open({ locale: "ko-KR" });
    open.push(visitor);
    const { page } = visitor;
    await logInAs(page, address, { ...sandbox.host, username: "nobody-at-all" });
    await page.getByText("이름 또는 비밀번호가 틀렸습니다.").waitFor();
    await logInAs(page, address, sandbox.host);
    await page.locator("nav a[aria-current]").waitFor();
    await page.goto(`${address}#/new`);
    await page.locator("[name=title]").fill("한국어 판매");
    await page.locator("[name=price]").fill("0");
    await page.locator("[name=stock]").fill("1");
    await page.locator("form [type=submit]").click();
    await page.getByText("이 항목을 확인하세요. price must be greater than or equal to 1").waitFor();
    await page.getByText("입력 내용을 확인하세요.").waitFor();
    await page.goto(`${address}#/letters/999999`);
    await page.getByText("찾을 수 없습니다.").waitFor();
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
    "on a desktop, dark": { dark: true },
    "on a phone, dark, in Korean": { size: PHONE, dark: true, locale: "ko-KR" },
  } satisfies Record<string, Look>)) {
    it(`has no serious fault for axe-core and nothing to scroll sideways, ${name}`, async () => {
      const { id } = await sandbox.openSale(http, { stock: 5 });
      const letter = await park("{ an unreadable one");
      const visitor = await browser!.open(look);
      open.push(visitor);
      await visitor.page.goto(address);
      await visitor.page.locator("form").waitFor();
      expect(await seriousFaults(visitor.page), "the log-in").to.deep.equal([]);
      const page = await visit(look);
      // With what says that the view has all that it waits for.
      const views = {
        "#/": `[data-sale='${id}']`,
        [`#/sales/${id}`]: "[data-number=settled] dd[data-value]",
        "#/new": "[name=title]",
        "#/letters": `[data-letter='${letter}']`,
        [`#/letters/${letter}`]: "pre",
        "#/settlements": "tbody tr, .note",
        [`#/settlements/${id}`]: ".note",
        "#/sales/999999": ".note.bad",
      };
      for (const [view, settled] of Object.entries(views)) {
        await page.goto(`${address}${view}`);
        await page.locator(settled).filter({ visible: true }).first().waitFor();
        await page.locator("[data-light=unknown]").waitFor({ state: "detached" });
        expect(await seriousFaults(page), view).to.deep.equal([]);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(wide, `${view} is wider than its window by`).to.be.at.most(0);
      }
    });
  }
});
