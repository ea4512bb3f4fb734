import type { WorldFailure } from "./failure.ts";
import { decidingAgainMs } from "./measure.ts";
import { lasting } from "./world.ts";

const DOWN_MS = 120_000;
const DOWN_BRIEF_MS = 5_000;
const PER_SECOND = 300;
const PER_SECOND_BRIEF = 120;
const BEFORE_MS = 3_000;
const INTAKE_MIN = 0.95;
/** How much faster than it came the backlog must go. */
const DRAIN_FACTOR_MIN = 2;

/** Intake needs no database: it goes on, and the backlog is decided when MySQL is back. */
export const f20: WorldFailure = {
  id: "F20",
  title: "MySQL killed, and back two minutes later",
  objective: { what: "orders are decided again", ms: 10_000 },
  world: { apis: 1, workers: 1 },
  async run(world, { orders, brief }) {
    const downMs = brief ? DOWN_BRIEF_MS : DOWN_MS;
    const perSecond = brief ? PER_SECOND_BRIEF : PER_SECOND;
    const during = Math.ceil(((BEFORE_MS + downMs) / 1_000) * perSecond);
    const shopping = world.shop.begin({ buyers: await world.users(Math.max(orders, during)), perSecond });
    await lasting(BEFORE_MS);
    world.servers.mysql.kill("SIGKILL");
    await world.servers.mysql.exited();
    const killedAt = Date.now();
    await lasting(downMs);
    const calls = world.history.calls.filter(({ sentAt }) => sentAt > killedAt);
    const taken = calls.filter(({ kind }) => kind === "ok").length;
    const intake = taken / ((Date.now() - killedAt) / 1_000);
    await world.servers.mysql.restart();
    const backAt = Date.now();
    await shopping.done;
    return {
      figures: { "intake/s while down": Math.round(intake) },
      misses:
        taken < INTAKE_MIN * calls.length ? [`only ${taken} of ${calls.length} calls were accepted`] : [],
      recovery: (rows) => {
        const late = rows.filter(({ accepted_at: at }) => at.getTime() > killedAt && at.getTime() < backAt);
        const decidedAt = late.map(({ decided_at }) => decided_at.getTime());
        const drainMs = Math.max(...decidedAt) - Math.min(...decidedAt);
        const factor = late.length / (drainMs / 1_000) / intake;
        return {
          recoveryMs: decidingAgainMs(rows, backAt),
          figures: { backlog: late.length, "drained × intake": factor.toFixed(1) },
          // A backlog of a few seconds is gone before the worker's back-off has ended.
          misses:
            !brief && factor < DRAIN_FACTOR_MIN
              ? [`the backlog drained at ${factor.toFixed(1)} × intake`]
              : [],
        };
      },
    };
  },
};
