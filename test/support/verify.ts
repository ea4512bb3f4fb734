import { run } from "../../tools/stack/command.ts";
import { REPOSITORY } from "../../tools/stack/home.ts";

const VERIFY_DEADLINE_MS = 60_000;

export interface Verdict {
  readonly ok: boolean;
  readonly findings: readonly { invariant: string; rule: string; rows: readonly object[] }[];
}

/** `npm run verify` on the servers that the settings name. */
export async function runVerify(settings: NodeJS.ProcessEnv): Promise<Verdict> {
  const result = await run(process.execPath, ["--import", "tsx", "tools/verify.ts", "--json"], {
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
export const broken = ({ findings }: Verdict): object[] => findings.filter(({ rows }) => rows.length > 0);
