import type { CheckResult } from "../../shared/domain/consistency.ts";
import { run } from "../../tools/stack/command.ts";
import { REPOSITORY } from "../../tools/stack/home.ts";

const VERIFY_DEADLINE_MS = 60_000;

export interface Verdict {
  readonly ok: boolean;
  readonly findings: readonly CheckResult[];
}

/** `npm run verify` on the servers that the settings name, where nothing is to be under way any more. */
export async function runVerify(settings: NodeJS.ProcessEnv, ...flags: string[]): Promise<Verdict> {
  const args = ["--import", "tsx", "tools/verify.ts", "--json", "--drained", ...flags];
  const result = await run(process.execPath, args, {
    cwd: REPOSITORY,
    env: settings,
    deadlineMs: VERIFY_DEADLINE_MS,
  });
  const json = result.output.slice(result.output.indexOf("{"));
  try {
    return JSON.parse(json) as Verdict;
  } catch {
    throw new Error(`verify said: ${result.output}`);
  }
}

/** What the broken rules were, for a failed assertion to show; empty when all hold. */
export const broken = ({ findings }: Verdict): object[] => findings.filter(({ state }) => state === "broken");
