import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openBrowser, PHONE, type Look, type TestBrowser } from "../test/support/browser.ts";
import { createHistory } from "../test/support/history.ts";
import { logInAs } from "../test/support/pages-site.ts";
import { rush } from "../test/support/rush.ts";
import { openSandbox, type Sandbox } from "../test/support/sandbox.ts";
import { until } from "../test/support/until.ts";
import { TOPICS } from "../shared/kafka/topics.ts";
import { provideChromium } from "./stack/chromium.ts";
import { StackFailure } from "./stack/failure.ts";
import { REPOSITORY } from "./stack/home.ts";
import { openPrivateRun } from "./stack/private-run.ts";
import { removeAbandonedHomes } from "./stack/test-home.ts";
import { startTestServers } from "./stack/test-servers.ts";

/** npm run screenshots: the views of both pages, on private servers with a sale under way, into docs/screenshots. */
const FOLDER = join(REPOSITORY, "docs/screenshots");
const STOCK = 3_000;
const BUYERS = 2_400;
const PER_SECOND = 120;
/** How long the rush has been going when pictures are taken. */
const SOLD_BEFORE = 900;
const DEADLINE_MS = 60_000;
const DARK_PHONE: Look = { size: PHONE, dark: true, locale: "ko-KR" };

const { report, temporary, env } = openPrivateRun();
await main();
process.exit(0);

async function main(): Promise<void> {
  await removeAbandonedHomes(report);
  await provideChromium(env, report);
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
  const buyers = await sandbox.users(BUYERS);
  const buying = rush({
    ...{ http, history: createHistory(), productId: id, buyers, persist: true, perSecond: PER_SECOND },
  });
  // The one who looks has the pictures' charts filled while the rush goes on.
  const looking = ([{}, DARK_PHONE] as const).map(async (look) => {
    const suffix = look === DARK_PHONE ? "phone-dark-ko" : "desktop";
    const { page, close } = await browser.open(look);
    await page.goto(`${api.url}/admin`);
    await page.locator("form").waitFor();
    await page.screenshot({ path: join(FOLDER, `log-in-${suffix}.png`) });
    await logInAs(page, `${api.url}/admin`, sandbox.host);
    await page.locator("[data-light=consistent]").waitFor();
    await page.goto(`${api.url}/admin#/sales/${String(id)}`);
    await until(
      "the rush goes on",
      async () => (await sandbox.rowsOf(id)).length >= SOLD_BEFORE,
      DEADLINE_MS,
      500,
    );
    const views = {
      sale: `#/sales/${String(id)}`,
      sales: "#/",
      "new-sale": "#/new",
      "dead-letters": "#/letters",
      "dead-letter": "#/letters/1",
      settlements: `#/settlements/${String(id)}`,
    };
    for (const [name, address] of Object.entries(views)) {
      await page.goto(`${api.url}/admin${address}`);
      if (name.startsWith("sale")) await page.locator("[data-light=consistent]").waitFor();
      await page.waitForTimeout(1_000);
      await page.screenshot({ path: join(FOLDER, `${name}-${suffix}.png`) });
    }
    await close();
    const shop = await browser.open(look);
    const [visitor] = await sandbox.users(1);
    if (visitor) await logInAs(shop.page, `${api.url}/`, visitor);
    await shop.page.locator("#log-in").waitFor({ state: "detached" });
    await shop.page.locator(`[data-buy='${String(id)}']`).click();
    await shop.page.locator(".note[data-status=SUCCESS]").waitFor();
    await shop.page.waitForTimeout(500);
    await shop.page.screenshot({ path: join(FOLDER, `buyer-${suffix}.png`) });
    await shop.close();
  });
  await Promise.all([buying, ...looking]);
}
