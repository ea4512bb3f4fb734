import { existsSync } from "node:fs";
import { join } from "node:path";
import { run } from "./command.ts";
import { findAll, searchPath } from "./find-programs.ts";
import { REPOSITORY } from "./home.ts";
import { aptRights } from "./provision.ts";
import type { Report } from "./report.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** The browser of the tests of the pages; undefined when there is none. */
export function findChromium(env: NodeJS.ProcessEnv): string | undefined {
  const chosen = env["CHROMIUM"];
  if (chosen !== undefined && existsSync(chosen)) return chosen;
  return NAMES.flatMap((name) => findAll(searchPath(env), name))[0];
}

/**
 * Installs Debian's chromium when there is no browser and the machine lets us; else says that the tests of the pages are
 * skipped. Where CI is set they are not: they fail.
 */
export async function provideChromium(env: NodeJS.ProcessEnv, report: Report): Promise<void> {
  if (findChromium(env) !== undefined) return;
  const rights = await aptRights(searchPath(env));
  if (rights !== "no") {
    report("installing chromium with apt-get, for the tests of the pages");
    const script = join(REPOSITORY, "tools/stack/apt-install.sh");
    const sudo = rights === "sudo" ? ["sudo", "-n"] : [];
    // The second font is for Korean.
    const command = [...sudo, "sh", script, "chromium|chromium-browser", "fonts-noto-cjk"];
    await run(command[0] ?? "sh", command.slice(1));
  }
  if (findChromium(env) === undefined)
    report("there is no Chromium here: the tests of the pages in a browser are skipped");
}
