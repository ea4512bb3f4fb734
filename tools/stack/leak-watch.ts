import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { leaksBelow, leaksIn, type Secrets } from "./leaks.ts";
import { openHome } from "./home.ts";
import { openSecrets } from "./secrets.ts";

/** A process that lives for less may be missed. */
const LOOK_EVERY_MS = 500;

/** The secrets that a test run plants by using them: every server's password, and what its sandboxes sign tokens with. */
export function secretsOfRun(home: string): Secrets {
  return { ...openSecrets(openHome(home)) };
}

/** Looks for planted secrets in the command lines of all processes until it is ended, then in what the run has written. */
export function watchLeaks(secrets: Secrets) {
  const leaks = new Set<string>();
  const look = (): void => {
    for (const leak of leaksInTitles(secrets)) leaks.add(leak);
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  timer.unref();
  return {
    /** @param said what the specs have printed @param home whose logs are read */
    end({ said, home }: { readonly said: string; readonly home: string }): string[] {
      clearInterval(timer);
      look();
      const printed = existsSync(said) ? leaksIn("the output", readFileSync(said, "utf8"), secrets) : [];
      return [...leaks, ...printed, ...leaksBelow(home, secrets)];
    },
  };
}

/** Everybody on the machine can read them. Elsewhere than on Linux there is nothing to read. */
export function leaksInTitles(secrets: Secrets): string[] {
  const pids = existsSync("/proc/self/cmdline")
    ? readdirSync("/proc").filter((name) => /^\d+$/.test(name))
    : [];
  return pids.flatMap((pid) => {
    try {
      return leaksIn("a process title", readFileSync(join("/proc", pid, "cmdline"), "utf8"), secrets);
    } catch {
      return []; // it has ended
    }
  });
}
