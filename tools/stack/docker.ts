import { createHash } from "node:crypto";
import { join } from "node:path";
import { lastLineOf, run } from "./command.ts";
import { StackFailure } from "./failure.ts";
import { REPOSITORY, type Home } from "./home.ts";
import { track } from "./registry.ts";
import type { Secrets } from "./secrets.ts";
import type { Server, ServerName } from "./server.ts";
import { waitFor } from "./wait.ts";

const READY_DEADLINE_MS = 180_000;
const HASH_LENGTH = 8;

export type ComposePorts = Record<ServerName, number>;

/**
 * Runs the services of docker/compose.yml for servers that have no program here. They keep their data in volumes of a project
 * named after the home, so two clones do not share them.
 */
export function openCompose(home: Home, secrets: Secrets, ports: ComposePorts, env: NodeJS.ProcessEnv) {
  const hash = createHash("sha256").update(home.path).digest("hex").slice(0, HASH_LENGTH);
  const settings = {
    ...env,
    FLASHPAY_MYSQL_PORT: String(ports.mysql),
    FLASHPAY_REDIS_PORT: String(ports.redis),
    FLASHPAY_KAFKA_PORT: String(ports.kafka),
    MYSQL_PASSWORD: secrets.mysqlPassword,
    MYSQL_API_PASSWORD: secrets.mysqlApiPassword,
    MYSQL_WORKER_PASSWORD: secrets.mysqlWorkerPassword,
    MYSQL_ROOT_PASSWORD: secrets.mysqlRootPassword,
    REDIS_PASSWORD: secrets.redisPassword,
  };
  const file = join(REPOSITORY, "docker/compose.yml");
  const compose = async (...args: string[]): Promise<void> => {
    const result = await run("docker", ["compose", "-p", `flashpay-${hash}`, "-f", file, ...args], {
      env: settings,
    });
    if (!result.ok) {
      throw new StackFailure(
        `docker compose ${args.join(" ")} failed: ${lastLineOf(result.output, /error/i)}`,
      );
    }
  };
  return {
    async start(name: ServerName, probe: () => Promise<void>): Promise<Server> {
      const up = async (): Promise<void> => {
        await compose("up", "-d", "--no-deps", name);
        const ready = await waitFor(async () => (await probe(), true), READY_DEADLINE_MS);
        if (!ready)
          throw new StackFailure(
            `${name} in Docker did not answer in ${String(READY_DEADLINE_MS / 1000)} s.`,
          );
      };
      const stop = (): Promise<void> => compose("stop", name);
      track({ stop, kill: () => undefined });
      await up();
      return {
        name,
        label: `${name} in Docker on 127.0.0.1:${String(ports[name])}`,
        pid: undefined,
        port: ports[name],
        stop,
        kill(signal) {
          void compose("kill", "-s", signal, name).catch(() => undefined);
        },
        async restart() {
          await stop();
          await up();
        },
        exited: () => new Promise(() => undefined),
        onDeath: () => undefined, // compose's own restart policy looks after it
      };
    },
  };
}
