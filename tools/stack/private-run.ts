import { cacheFolder } from "./home.ts";
import { killEverything, stopEverything } from "./registry.ts";
import { createReport } from "./report.ts";
import { onStopWish } from "./signals.ts";
import { makeTestHome, removeTestHome } from "./test-home.ts";
import { cleanEnvironment } from "./test-runs.ts";

const INTERRUPTED = 130;

/**
 * A temporary home for servers of a tool's own, and the environment for what runs there. However the process ends, nothing is
 * left behind; progress goes to stderr.
 */
export function openPrivateRun() {
  const report = createReport((text) => process.stderr.write(text));
  const { path: home, temporary } = makeTestHome();
  process.on("exit", () => {
    killEverything();
    removeTestHome(home);
  });
  onStopWish(() => {
    report("stopping");
    void stopEverything().then(() => process.exit(INTERRUPTED));
  });
  const env: NodeJS.ProcessEnv = {
    ...cleanEnvironment(process.env),
    FLASHPAY_CACHE: cacheFolder(process.env),
    TMPDIR: temporary,
  };
  return { report, temporary, env };
}
