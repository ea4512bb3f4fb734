import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { chromium, type Browser, type Page } from "playwright-core";
import { run } from "../../tools/stack/command.ts";
import { chromiumOrSkip } from "../../tools/stack/chromium.ts";
import { REPOSITORY } from "../../tools/stack/home.ts";

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 360, height: 740 };
const WAIT_MS = 15_000;

export interface Look {
  readonly size?: { readonly width: number; readonly height: number };
  readonly dark?: boolean;
  readonly locale?: "en-US" | "ko-KR";
}

/** A real Chromium; undefined where there is none and none is demanded. @throws where CI demands it */
export async function openBrowser() {
  const executablePath = chromiumOrSkip(process.env);
  if (executablePath === undefined) return undefined;
  const built = await run("npm", ["run", "--silent", "build:pages"], { cwd: REPOSITORY });
  if (!built.ok) throw new Error(`The pages were not built: ${built.output}`);
  // Root has no sandbox of Chromium's; /dev/shm is small in containers.
  const args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"];
  const browser = await chromium.launch({ executablePath, args });
  return { open: (look?: Look) => openPage(browser, look), close: () => browser.close() };
}
export type TestBrowser = NonNullable<Awaited<ReturnType<typeof openBrowser>>>;

/** A page of its own, as after a first visit; `faults` is what went wrong in it. */
async function openPage(browser: Browser, { size = DESKTOP, dark = false, locale = "en-US" }: Look = {}) {
  const context = await browser.newContext({
    ...{ viewport: size, colorScheme: dark ? "dark" : "light", locale, timezoneId: "Asia/Seoul" },
  });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    // A refused request is an error to the console, too; those are the page's business.
    const expected = /Failed to load resource/.test(message.text());
    if (message.type() === "error" && !expected) faults.push(message.text());
  });
  return { page, faults, close: () => context.close() };
}

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** What axe-core finds of serious or critical impact. */
export async function seriousFaults(page: Page): Promise<string[]> {
  // Through the debugger's channel: the page's own policy lets no script in.
  await page.evaluate(AXE);
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run: () => Promise<{ violations: Violation[] }> } };
    return (await axe.run()).violations;
  });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .map(({ html }) => html)
          .join(" | ")
          .slice(0, 400)}`,
    );
}
