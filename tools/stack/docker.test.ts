import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { openCompose } from "./docker.ts";
import { StackFailure } from "./failure.ts";
import { openHome, type Home } from "./home.ts";
import { openSecrets } from "./secrets.ts";

describe("servers in Docker", () => {
  const ports = { mysql: 21_001, redis: 21_002, kafka: 21_003 };
  let home: Home;

  /** Stands in for the real one: writes down how it was called. */
  const fakeDocker = (script: string): NodeJS.ProcessEnv => {
    writeFileSync(home.at("docker"), `#!/bin/sh\n${script}\n`);
    chmodSync(home.at("docker"), 0o755);
    return { PATH: `${home.path}:/usr/bin:/bin` };
  };
  const called = (): string => readFileSync(home.at("called"), "utf8");

  beforeEach(() => {
    home = openHome(mkdtempSync(join(tmpdir(), "flashpay-docker-")));
  });
  afterEach(() => {
    rmSync(home.path, { recursive: true });
  });

  it("start one service of docker/compose.yml with this home's project, ports and passwords", async () => {
    const env = fakeDocker(`echo "$@ $FLASHPAY_REDIS_PORT $REDIS_PASSWORD" >> ${home.at("called")}`);
    const secrets = openSecrets(home);
    const redis = await openCompose(home, secrets, ports, env).start("redis", () => Promise.resolve());
    await redis.stop();
    const [up, stop] = called().trim().split("\n");
    expect(up).to.match(/^compose -p flashpay-[0-9a-f]{8} -f .*docker\/compose\.yml up -d --no-deps redis /);
    expect(up).to.contain(` ${String(ports.redis)} ${secrets.redisPassword}`);
    expect(stop).to.contain("stop redis");
    expect(redis.pid).to.equal(undefined);
  });

  it("say in one sentence why they do not start", async () => {
    const env = fakeDocker("echo 'Error response from daemon: no space left' >&2; exit 1");
    const starting = openCompose(home, openSecrets(home), ports, env).start("mysql", () => Promise.resolve());
    const error: unknown = await starting.catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(StackFailure);
    expect(String(error)).to.contain("no space left");
  });
});
