import { startServers } from "../../tools/stack/servers.ts";

/**
 * A launcher to be killed: starts the servers of the home in its first argument, says that it is done, and then only waits.
 * Run by launcher.test.ts.
 */
const [, , home = ""] = process.argv;
await startServers({ home, env: process.env, report: () => undefined });
process.stdout.write("up\n");
process.on("SIGTERM", () => process.exit(0));
