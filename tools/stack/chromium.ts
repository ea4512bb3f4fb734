import { existsSync } from "node:fs";
import { join } from "node:path";
import { run, type CommandResult } from "./command.ts";
import { StackFailure } from "./failure.ts";
import { findAll, searchPath } from "./find-programs.ts";
import { REPOSITORY } from "./home.ts";
import { aptRights } from "./provision.ts";
import type { Report } from "./report.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];
/** Of what apt-get said when it failed. */
const LINES_TOLD_MAX = 12;

/** The browser of the tests of the pages; undefined when there is none. */
export function findChromium(env: NodeJS.ProcessEnv): string | undefined {
  const chosen = env["CHROMIUM"];
  if (chosen !== undefined && existsSync(chosen)) return chosen;
  return NAMES.flatMap((name) => findAll(searchPath(env), name))[0];
}

/**
 * The browser, or undefined: skip the tests of the pages.
 * @throws StackFailure where CI is set: what is skipped there is never seen to fail
 */
export function chromiumOrSkip(
  env: NodeJS.ProcessEnv,
  find: Machine["find"] = () => findChromium(env),
): string | undefined {
  const found = find();
  if (found === undefined && isDemanded(env))
    throw new StackFailure("CI must not skip the tests of the pages: there is no Chromium.");
  return found;
}

const isDemanded = ({ CI: ci = "" }: NodeJS.ProcessEnv): boolean => ci !== "" && ci !== "false";

interface Machine {
  readonly find: () => string | undefined;
  /** Undefined: this machine does not let us. */
  readonly install: (report: Report) => Promise<CommandResult | undefined>;
}

/** Installs Debian's chromium when there is no browser and the machine lets us; says what came of it. */
export async function provideChromium(
  env: NodeJS.ProcessEnv,
  report: Report,
  { find, install }: Machine = machineOf(env),
): Promise<void> {
  if (find() !== undefined) return;
  const result = await install(report);
  if (find() !== undefined) return;
  if (result && !result.ok) {
    const said = result.output.trim().split("\n").slice(-LINES_TOLD_MAX).join("\n  ");
    report(`apt-get could not install chromium; it said:\n  ${said}`);
  }
  report(
    isDemanded(env)
      ? "there is no Chromium here, and CI is set: the tests of the pages fail"
      : "there is no Chromium here: the tests of the pages in a browser are skipped",
  );
}

const machineOf = (env: NodeJS.ProcessEnv): Machine => ({
  find: () => findChromium(env),
  async install(report) {
    const rights = await aptRights(searchPath(env));
    if (rights === "no") return undefined;
    report("installing chromium with apt-get, for the tests of the pages");
    const script = join(REPOSITORY, "tools/stack/apt-install.sh");
    const sudo = rights === "sudo" ? ["sudo", "-n"] : [];
    // The second font is for Korean.
    const command = [...sudo, "sh", script, "chromium|chromium-browser", "fonts-noto-cjk"];
    return await run(command[0] ?? "sh", command.slice(1));
  },
});
