import { setTimeout as delay } from "node:timers/promises";
import { openConnection, type Connection } from "./connection.ts";
import { intendedMs, requestsAtMost, requestsDue } from "./pace.ts";
import type { Plan, Progress, Tally } from "./plan.ts";
import { requestWriter } from "./requests.ts";
import { createTally } from "./tally.ts";

const CONNECT_DEADLINE_MS = 20_000;
/** What is not sent, or not answered, so long after it should have been, stays so in the tally. */
const GRACE_MS = 15_000;
const POLL_MS = 10;
const TICK_MS = 1;

export interface Client {
  /** Sends everything, waits for the answers, closes. */
  run(): Promise<Tally>;
  progress(): Progress;
}

interface Lane {
  readonly connection: Connection;
  /** When the request under way was to be sent, by performance.now(). */
  intendedAt: number;
}

/** Opens the plan's connections. */
export async function openClient(plan: Plan): Promise<Client> {
  const { pace } = plan;
  const count = requestsAtMost(plan);
  const write = requestWriter(plan.requests, plan.addresses[0] ?? "");
  const tally = createTally(count);
  const free: Lane[] = [];
  let connected = 0;
  let broken: Error | undefined;
  let startAt = 0;
  let lastAt = 0;
  const lanes = Array.from({ length: plan.connections }, (_, i) => openLane(i));
  if (!(await waitUntil(() => connected >= lanes.length, CONNECT_DEADLINE_MS)))
    throw new Error(`only ${connected} of ${lanes.length} connections could be opened`);
  return { run, progress: tally.progress };

  function openLane(i: number): Lane {
    const connection = openConnection(plan.addresses[i % plan.addresses.length] ?? "", {
      onConnect: () => (connected += 1),
      onBroken: (error) => (broken = error),
      onOutcome(outcome) {
        lastAt = performance.now();
        tally.heard(outcome, lastAt - lane.intendedAt);
        free.push(lane);
        pump();
      },
    });
    const lane: Lane = { connection, intendedAt: 0 };
    free.push(lane);
    return lane;
  }

  async function run(): Promise<Tally> {
    startAt = performance.now();
    // In the closed model each answer brings the next request about.
    const ticking = pace.kind === "open" ? setInterval(pump, TICK_MS) : undefined;
    pump();
    const isOver = (): boolean => performance.now() - startAt >= pace.seconds * 1_000;
    const isSent = (): boolean => tally.offered() >= count || (pace.kind === "closed" && isOver());
    await waitUntil(isSent, pace.seconds * 1_000 + GRACE_MS);
    await waitUntil(() => tally.underWay() === 0, GRACE_MS);
    clearInterval(ticking);
    for (const { connection } of lanes) connection.close();
    return tally.total(performance.timeOrigin + startAt, performance.timeOrigin + lastAt);
  }

  /** Sends what is due, as far as connections are free. */
  function pump(): void {
    const elapsedMs = performance.now() - startAt;
    const due = requestsDue(pace, count, elapsedMs);
    for (let i = tally.offered(); i < due; i += 1) {
      const lane = free.shift(); // in turn: several processes get equal shares
      if (!lane) return;
      const intended = intendedMs(pace, i, elapsedMs);
      lane.intendedAt = startAt + intended;
      lane.connection.send(write(i));
      tally.sent(elapsedMs - intended);
    }
  }

  /** @returns whether it came to hold in time */
  async function waitUntil(holds: () => boolean, deadlineMs: number): Promise<boolean> {
    const end = performance.now() + deadlineMs;
    while (!holds()) {
      if (broken) throw broken;
      if (performance.now() > end) return false;
      await delay(POLL_MS);
    }
    return true;
  }
}
