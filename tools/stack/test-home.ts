import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { occupyHome } from "./occupy.ts";
import type { Report } from "./report.ts";

const TEMPORARY = "tmp";
const PREFIX = "flashpay-test-";
/** Younger ones may be about to be locked. */
const ABANDONED_AFTER_MS = 60_000;

/** A throw-away home of one test run. What its specs put into temporary folders is in there too, and goes with it. */
export function makeTestHome(): { path: string; temporary: string } {
  const path = mkdtempSync(join(tmpdir(), PREFIX));
  const temporary = join(path, TEMPORARY);
  mkdirSync(temporary);
  return { path, temporary };
}

/** Also while servers that were just killed still hold files in it. */
export function removeTestHome(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

/** Ends and removes what test runs that were killed have left: servers that still run, folders that nobody needs. */
export async function removeAbandonedHomes(report: Report): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const path = join(tmpdir(), name);
    try {
      if (Date.now() - statSync(path).ctimeMs < ABANDONED_AFTER_MS) continue;
      await occupyHome(path, report);
      for (const inner of homesOfSpecs(path)) await occupyHome(inner, report);
      removeTestHome(path);
    } catch {
      // Its owner is at work, or it is another user's.
    }
  }
}

/** Some specs start servers of their own. */
function homesOfSpecs(path: string): string[] {
  const temporary = join(path, TEMPORARY);
  if (!existsSync(temporary)) return [];
  return readdirSync(temporary)
    .map((name) => join(temporary, name))
    .filter((folder) => existsSync(join(folder, "run")));
}
