import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { openBrowser, PHONE, type Look, type TestBrowser } from "../test/support/browser.ts";
import { createHistory } from "../test/support/history.ts";
import type { HttpClient } from "../test/support/http-client.ts";
import { logInAs } from "../test/support/pages-site.ts";
import { rush } from "../test/support/rush.ts";
import { openSandbox, type Person, type Sandbox } from "../test/support/sandbox.ts";
import { until } from "../test/support/until.ts";
import { TOPICS } from "../shared/kafka/topics.ts";
import { provideChromium } from "./stack/chromium.ts";
import { run } from "./stack/command.ts";
import { StackFailure } from "./stack/failure.ts";
import { REPOSITORY } from "./stack/home.ts";
import { openPrivateRun } from "./stack/private-run.ts";
import { removeAbandonedHomes } from "./stack/test-home.ts";
import { startTestServers } from "./stack/test-servers.ts";

/** npm run screenshots: the views of both pages, on private servers with a sale under way, into docs/screenshots. */
const FOLDER = join(REPOSITORY, "docs/screenshots");
const STOCK = 5_000;
/** Orders a second, one stretch after the other: a chart of a sale goes up and down. */
const RATES = [25, 45, 70, 110, 90, 60, 80, 50, 40, 30, 30, 30];
const STRETCH_S = 8;
/** Part of a stretch's buyers that have bought before, and are refused. */
const AGAIN = 0.15;
/** How far the rush has come when pictures are taken: the chart has more than half a minute of it. */
const STRETCHES_BEFORE = 6;
const DEADLINE_MS = 300_000;
const DARK_PHONE: Look = { size: PHONE, dark: true, locale: "ko-KR" };

const { report, temporary, env } = openPrivateRun();
await main();
process.exit(0);

async function main(): Promise<void> {
  await removeAbandonedHomes(report);
  await provideChromium(env, report);
  const fonts = await run("fc-list", [":lang=ko"]);
  if (!fonts.output.trim()) throw new StackFailure("Screenshots need a font for Korean: fonts-noto-cjk.");
  const servers = await startTestServers({ home: join(temporary, "servers"), env, report });
  Object.assign(process.env, servers.env);
  const browser = await openBrowser();
  if (!browser) throw new StackFailure("Screenshots need Chromium.");
  const sandbox = await openSandbox();
  try {
    mkdirSync(FOLDER, { recursive: true });
    await takeAll(sandbox, browser);
  } finally {
    await browser.close();
    await sandbox.close();
    await servers.stop();
  }
}

async function takeAll(sandbox: Sandbox, browser: TestBrowser): Promise<void> {
  const [api] = await Promise.all([sandbox.start("api"), sandbox.start("worker")]);
  const http = sandbox.client(api);
  const rename = (id: number, title: string) =>
    http.send("PATCH", `/api/products/${String(id)}`, { token: sandbox.host.token, body: { title } });
  const { id } = await sandbox.openSale(http, { stock: STOCK, price: 99_000 });
  await rename(id, "Winter concert, standing");
  const coming = await sandbox.openSale(http, { stock: 200, startTime: Date.now() + 5_400_000 });
  await rename(coming.id, "Winter concert, front row");
  await sandbox.producer.send({ topic: TOPICS.orders, messages: [{ value: '{"v":9,"orderId":"?"}' }] });
  const rushing = { stretches: 0 };
  const looking = ([{}, DARK_PHONE] as const).map((look) =>
    takeViews(sandbox, { browser, look, url: api.url, id, rushing }),
  );
  const buying = rushInStretches(sandbox, http, id, rushing);
  await Promise.all([buying, ...looking]);
}

async function rushInStretches(
  sandbox: Sandbox,
  http: HttpClient,
  productId: number,
  rushing: { stretches: number },
): Promise<void> {
  let before: readonly Person[] = [];
  for (const perSecond of RATES) {
    const wanted = perSecond * STRETCH_S;
    const again = before.slice(0, Math.round(wanted * AGAIN));
    const buyers = [...again, ...(await sandbox.users(wanted - again.length))];
    // One among the others, not all of them at the beginning.
    buyers.sort((a, b) => (a.id % 7) - (b.id % 7));
    await rush({ http, history: createHistory(), productId, buyers, persist: true, perSecond });
    before = buyers;
    rushing.stretches += 1;
    report(`${String(rushing.stretches)} of ${String(RATES.length)} stretches of orders are over`);
  }
}

interface Visit {
  readonly browser: TestBrowser;
  readonly look: Look;
  readonly url: string;
  readonly id: number;
  readonly rushing: { readonly stretches: number };
}

async function takeViews(sandbox: Sandbox, { browser, look, url, id, rushing }: Visit): Promise<void> {
  const suffix = look === DARK_PHONE ? "phone-dark-ko" : "desktop";
  const { page, close } = await browser.open(look);
  const take = (from: Page, name: string) =>
    from.screenshot({ path: join(FOLDER, `${name}-${suffix}.png`), fullPage: true });
  await page.goto(`${url}/admin`);
  await page.locator("form").waitFor();
  await take(page, "log-in");
  // From here on the charts fill.
  await logInAs(page, `${url}/admin`, sandbox.host);
  await page.locator("[data-light=consistent]").waitFor();
  await until("the rush goes on", () => rushing.stretches >= STRETCHES_BEFORE, DEADLINE_MS, 500);
  const views = {
    sale: `#/sales/${String(id)}`,
    sales: "#/",
    "new-sale": "#/new",
    "dead-letters": "#/letters",
    "dead-letter": "#/letters/1",
    settlements: `#/settlements/${String(id)}`,
  };
  for (const [name, address] of Object.entries(views)) {
    await page.goto(`${url}/admin${address}`);
    if (name.startsWith("sale")) await page.locator("[data-light=consistent]").waitFor();
    if (name === "settlements") {
      await page.locator("[data-csv]").click();
      await page.locator("[data-sheet=sha256]").waitFor();
    }
    await page.waitForTimeout(1_000);
    await take(page, name);
  }
  await close();
  const shop = await browser.open(look);
  const [visitor] = await sandbox.users(1);
  if (visitor) await logInAs(shop.page, `${url}/`, visitor);
  await shop.page.locator("#log-in").waitFor({ state: "detached" });
  await shop.page.locator(`[data-buy='${String(id)}']`).click();
  await shop.page.locator(".note[data-status=SUCCESS]").waitFor();
  await shop.page.waitForTimeout(500);
  await take(shop.page, "buyer");
  await shop.close();
}
