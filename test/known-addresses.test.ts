import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { connectRedis, type RedisClient } from "../shared/redis/client.ts";
import { keys } from "../shared/redis/keys.ts";
import { ADDRESSES_MAX, createKnownAddresses, KNOWN_FOR_S } from "../shared/redis/known-addresses.ts";
import { createLogRecorder } from "../shared/testing/log.ts";
import { sharedServers } from "./support/servers.ts";

describe("the addresses of an account", () => {
  let redis: RedisClient;
  let now = Date.UTC(2027, 0, 1);
  let account: string;
  before(async () => {
    redis = await connectRedis({
      ...{ url: sharedServers().redisUrl, name: "known-addresses" },
      onError: () => undefined,
    });
  });
  after(() => {
    redis.disconnect();
  });
  beforeEach(() => {
    account = randomUUID();
  });
  const open = () => createKnownAddresses(redis, createLogRecorder(), () => now);

  it("are known to every process once remembered, to no other account, and for 30 days", async () => {
    expect(await open().has(account, "a")).to.equal(false);
    await open().remember(account, "a");
    expect(await open().has(account, "a")).to.equal(true);
    expect(await open().has(randomUUID(), "a")).to.equal(false);
    expect(await redis.ttl(keys.knownAddresses(account))).to.be.within(1, KNOWN_FOR_S);
    now += KNOWN_FOR_S * 1_000;
    expect(await open().has(account, "a")).to.equal(false);
  });

  it("are bounded: the oldest is forgotten", async () => {
    for (let i = 0; i <= ADDRESSES_MAX; i += 1) {
      await open().remember(account, `a${i}`);
      now += 1_000;
    }
    expect([await open().has(account, "a0"), await open().has(account, "a1")]).to.deep.equal([false, true]);
  });

  it("are nobody's while Redis is away, and nobody is refused for it", async () => {
    const away = await connectRedis({
      ...{ url: sharedServers().redisUrl, name: "known-addresses" },
      onError: () => undefined,
    });
    away.disconnect();
    const known = createKnownAddresses(away, createLogRecorder());
    await known.remember(account, "a");
    expect(await known.has(account, "a")).to.equal(false);
  });
});
