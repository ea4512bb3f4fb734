import type { ServerName } from "../../tools/stack/server.ts";
import type { WorldFailure } from "./failure.ts";
import { acceptingAgainMs } from "./measure.ts";
import { underLoad } from "./outage.ts";
import { onSmallDisk, whyNoSmallDisk } from "./small-disk.ts";
import { lasting, type World, type WorldWish } from "./world.ts";

const FULL_MS = 30_000;
const FULL_BRIEF_MS = 12_000;
/** How long it may take after the disk is full until nothing more is taken. */
const SHUT_MAX_MS = 15_000;

interface FullDisk extends Pick<WorldFailure, "id" | "title"> {
  readonly server: ServerName;
  readonly data: string;
  readonly settings?: WorldWish["settings"];
}

/** No space for what a server must keep: intake ends, and with space all goes on where it was. */
function diskFull({ id, title, server: name, data, settings }: FullDisk): WorldFailure {
  return {
    ...{ id, title },
    objective: { what: "orders are accepted again", ms: 10_000 },
    world: { apis: 2, workers: 1, ...(settings && { settings }) },
    async run(world, { orders, brief }) {
      const lacking = whyNoSmallDisk(world.home.path);
      if (lacking !== undefined) return { skipped: lacking };
      const server = world.servers[name];
      const outageMs = brief ? FULL_BRIEF_MS : FULL_MS;
      await server.stop();
      const disk = await onSmallDisk(world.home.at(data));
      try {
        await server.restart();
        await Promise.all([...world.apis, ...world.workers].map((keeper) => keeper.ready()));
        let died = false;
        const outage = await underLoad(world, { orders, outageMs }, async () => {
          disk.fill();
          const from = Date.now();
          await lasting(outageMs);
          disk.free();
          // One that gave up, as a broker does, is started again by whoever made the space.
          died = server.pid === undefined;
          if (died) await server.restart();
          return { from, to: Date.now() };
        });
        return {
          recoveryMs: acceptingAgainMs(world.history, outage.to),
          ...shutting(world, outage, died),
        };
      } finally {
        await server.stop();
        await disk.leave();
        await server.restart();
      }
    },
  };
}

function shutting({ history }: World, { from, to }: { from: number; to: number }, died: boolean) {
  const taken = history.of("ok").filter(({ sentAt, at }) => sentAt > from && at < to);
  const shutMs = Math.max(0, ...taken.map(({ at }) => at - from));
  const refused = history.calls.filter(
    ({ code, sentAt, at }) => code === "not_ready" && sentAt > from && at < to,
  );
  return {
    figures: { "last 202 ms": shutMs, not_ready: refused.length, died: String(died) },
    misses: [
      ...(shutMs > SHUT_MAX_MS ? [`orders were taken ${shutMs} ms after the disk was full`] : []),
      ...(refused.length > 0 ? [] : ["nobody heard not_ready"]),
    ],
  };
}

export const f24a = diskFull({ id: "F24a", title: "Redis' disk full", server: "redis", data: "redis" });
export const f24b = diskFull({
  ...{ id: "F24b", title: "MySQL's disk full", server: "mysql", data: "mysql" },
  // Intake needs no database: it ends when the oldest order has waited for too long.
  settings: { UNDECIDED_AGE_MAX: "5" },
});
export const f24c = diskFull({ id: "F24c", title: "Kafka's disk full", server: "kafka", data: "kafka" });
