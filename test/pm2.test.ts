import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { buildIfNeeded } from "../tools/stack/build.ts";
import { run } from "../tools/stack/command.ts";
import { REPOSITORY } from "../tools/stack/home.ts";
import { identify } from "../tools/stack/identity.ts";
import { openPorts } from "../tools/stack/ports.ts";
import { codeOf } from "./support/bodies.ts";
import { createHistory } from "./support/history.ts";
import { createHttpClient, type HttpClient, NoAnswer, type Answer } from "./support/http-client.ts";
import { broken, openSandbox, type Person, type Sandbox } from "./support/sandbox.ts";
import { until } from "./support/until.ts";

const API_INSTANCES = 2;
const ASKED_AGAIN_MAX = 5;
const ORDERS_PER_S = 200;
const LOAD_S = 10;
const CONNECTIONS = 64;
const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 12_000;
const SETTLED_DEADLINE_MS = 20_000;
const PM2 = "node_modules/pm2/bin/pm2";

interface Listed {
  readonly name: string;
  readonly pid: number;
  readonly pm2_env: { readonly status: string; readonly exec_mode: string; readonly restart_time: number };
}

describe("pm2 with ecosystem.config.cjs", function () {
  this.timeout(180_000);
  let sandbox: Sandbox;
  let folder: string;
  let env: NodeJS.ProcessEnv;
  let http: HttpClient;
  let workerUrl: string;

  const pm2 = async (...args: string[]): Promise<string> => {
    const { ok, output } = await run(process.execPath, [PM2, ...args], { cwd: REPOSITORY, env });
    if (!ok) throw new Error(`pm2 ${args.join(" ")} failed: ${output}\n${said()}`);
    return output;
  };
  const list = async (): Promise<Listed[]> => {
    const output = await pm2("jlist");
    return JSON.parse(output.slice(output.indexOf("["))) as Listed[];
  };
  /** What the programs themselves have said, for a failure to show. */
  const said = (): string =>
    ["flashpay-api-error", "flashpay-worker-error"]
      .map((name) => textOf(join(folder, "pm2/logs", `${name}.log`)))
      .join("");

  /** Also when the run is stopped from outside: the daemon ends its programs, then itself. */
  const killDaemon = (): void => {
    const pid = daemonOf(folder);
    if (pid !== undefined && isAlive(pid)) process.kill(pid, "SIGTERM");
  };
  /** What `before` has opened, however far it came. */
  const opened: (() => unknown)[] = [];

  before(async () => {
    await buildIfNeeded(process.env, () => undefined);
    sandbox = await openSandbox();
    opened.push(() => sandbox.close());
    folder = mkdtempSync(join(tmpdir(), "flashpay-pm2-"));
    opened.push(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    const ports = openPorts(sandbox.home);
    const [port, workerPort] = [await ports.claim("api"), await ports.claim("worker")];
    env = sandbox.settings({
      PM2_HOME: join(folder, "pm2"),
      PORT: String(port),
      WORKER_PORT: String(workerPort),
      API_INSTANCES: String(API_INSTANCES),
    });
    http = createHttpClient(`http://127.0.0.1:${port}`, CONNECTIONS);
    workerUrl = `http://127.0.0.1:${workerPort}`;
    process.once("exit", killDaemon);
    opened.push(async () => {
      if (daemonOf(folder) !== undefined) await pm2("kill");
      process.removeListener("exit", killDaemon);
    });
  });
  after(async () => {
    for (const close of opened.reverse()) await close();
    http.close();
  });

  it("serves with as many API processes as asked for, and a worker", async () => {
    await pm2("start", "ecosystem.config.cjs");
    const ready = async (): Promise<boolean> =>
      (await http.get("/readyz")).status === 200 && (await fetch(`${workerUrl}/readyz`)).ok;
    await until("both programs are ready", ready, START_DEADLINE_MS);
    const programs = (await list()).map(({ name, pm2_env }) => [name, pm2_env.exec_mode, pm2_env.status]);
    expect(programs.sort()).to.deep.equal([
      ...Array.from({ length: API_INSTANCES }, () => ["flashpay-api", "cluster_mode", "online"]),
      ["flashpay-worker", "fork_mode", "online"],
    ]);
  });

  it("loses no order and refuses no connection while it reloads under load", async () => {
    const people = await sandbox.users(ORDERS_PER_S * LOAD_S);
    const sale = await sandbox.openSale(http, { stock: people.length });
    const history = createHistory();
    const before = await list();
    const load = placeAtRate(people, ORDERS_PER_S, ({ id, token }) =>
      history.record(id, sale.id, placeOrAskAgain(http, sale.id, token)),
    );
    await until("the load is on", () => history.calls.length > ORDERS_PER_S, START_DEADLINE_MS);
    await pm2("reload", "ecosystem.config.cjs");
    await load;

    expect(history.tally()).to.deep.equal({ accepted: people.length });
    const pids = (listed: Listed[]) => listed.map(({ pid }) => pid).sort();
    expect(pids(await list())).not.to.include.members(pids(before));
    await until(
      "all orders are SUCCESS",
      async () =>
        (await sandbox.rowsOf(sale.id)).filter(({ status }) => status === "SUCCESS").length === people.length,
      SETTLED_DEADLINE_MS,
    );
    expect(history.contradictions(sale.id, await sandbox.rowsOf(sale.id))).to.deep.equal([]);
    expect(broken(await sandbox.verify())).to.deep.equal([]);
  });

  it("stops within the time that a graceful stop may take, with nothing left undone", async () => {
    const pids = (await list()).map(({ pid }) => pid);
    const startedAt = performance.now();
    await pm2("stop", "ecosystem.config.cjs");
    expect(performance.now() - startedAt).to.be.below(STOP_DEADLINE_MS);
    expect(pids.filter(isAlive)).to.deep.equal([]);
    expect((await list()).map(({ pm2_env }) => pm2_env.status)).to.deep.equal([
      "stopped",
      "stopped",
      "stopped",
    ]);
    expect(said()).to.equal("");
  });

  it("leaves no daemon behind", async () => {
    const pid = daemonOf(folder);
    await pm2("kill");
    await until("the daemon has ended", () => pid !== undefined && !isAlive(pid), STOP_DEADLINE_MS);
  });
});

/**
 * As HTTP clients do (RFC 9112 §9.3.1): a request that went out on a kept connection, while the server was closing it as
 * idle, is sent once more on a new one; the key makes that safe. So is one that heard 503, when Retry-After is over: a busy
 * machine may keep Redis or Kafka from answering in time. A refused connection is never tried again here.
 */
async function placeOrAskAgain(http: HttpClient, productId: number, token: string): Promise<Answer> {
  const ask = { token, body: { productId }, headers: { "Idempotency-Key": randomUUID() } };
  const send = async (): Promise<Answer> => {
    try {
      return await http.send("POST", "/api/orders", ask);
    } catch (error) {
      if (!(error instanceof NoAnswer) || !error.reused || error.message.includes("ECONNREFUSED"))
        throw error;
      return await http.send("POST", "/api/orders", ask);
    }
  };
  let answer = await send();
  // 503, and after it for a moment: the attempt before is still being closed.
  const passing = () => answer.status === 503 || codeOf(answer) === "order_in_progress";
  for (let again = 0; again < ASKED_AGAIN_MAX && passing(); again += 1) {
    await delay(Number(answer.headers["retry-after"]) * 1_000);
    answer = await send();
  }
  return answer;
}

/** An open model: a person comes when it is time, whether or not the ones before have their answers. */
async function placeAtRate(
  people: readonly Person[],
  perSecond: number,
  place: (person: Person) => Promise<unknown>,
): Promise<void> {
  const startedAt = performance.now();
  const placed: Promise<unknown>[] = [];
  while (placed.length < people.length) {
    const due = Math.floor(((performance.now() - startedAt) / 1_000) * perSecond);
    for (const person of people.slice(placed.length, due)) placed.push(place(person));
    await delay(1_000 / perSecond);
  }
  await Promise.all(placed);
}

function daemonOf(folder: string): number | undefined {
  const pid = Number(textOf(join(folder, "pm2/pm2.pid")));
  return pid > 0 ? pid : undefined;
}

/** One that has ended and is not yet collected by its parent does not count. */
function isAlive(pid: number): boolean {
  return identify(pid) !== undefined;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
