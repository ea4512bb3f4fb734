import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { createRateLimit } from "../shared/rate-limit.ts";
import { createSharedCount } from "../shared/redis/attempt-limiter.ts";
import { connectRedis, type RedisClient } from "../shared/redis/client.ts";
import { createLogRecorder } from "../shared/testing/log.ts";
import { sharedServers } from "./support/servers.ts";
import { until } from "./support/until.ts";

const POINTS = 20;
const TOLD_DEADLINE_MS = 5_000;
const AGAIN_MS = 20;

describe("a rate limit on Redis", () => {
  const open: RedisClient[] = [];
  after(() => {
    for (const client of open) client.disconnect();
  });

  async function processes(count: number) {
    const name = `test-${randomUUID()}`;
    const all = [];
    for (let i = 0; i < count; i += 1) {
      const redis = await connectRedis({
        ...{ url: sharedServers().redisUrl, name: "rate-limit" },
        onError: () => undefined,
      });
      open.push(redis);
      const share = createSharedCount(redis, name, POINTS);
      const limit = createRateLimit({ points: POINTS, windowMs: 1_000, share, log: createLogRecorder() });
      all.push({ redis, take: () => limit.take("u") });
    }
    return all as [(typeof all)[number], (typeof all)[number]];
  }

  it("is heard of by another process within its window", async () => {
    const [here, there] = await processes(2);
    await until(
      "the other process refuses",
      async () => {
        for (let i = 0; i < POINTS; i += 1) here.take();
        return there.take().outcome === "refused";
      },
      TOLD_DEADLINE_MS,
      AGAIN_MS,
    );
  });

  it("holds in each process by itself while Redis is away", async () => {
    const [here] = await processes(1);
    here.redis.disconnect();
    const outcomes = Array.from({ length: POINTS + 5 }, () => here.take().outcome);
    expect(outcomes.indexOf("refused")).to.equal(POINTS);
    await until("a new window", async () => here.take().outcome === "taken", TOLD_DEADLINE_MS, AGAIN_MS);
  });
});
