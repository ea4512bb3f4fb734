import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import type { Program } from "../../tools/stack/programs.ts";
import { codeOf } from "../support/bodies.ts";
import type { HttpClient } from "../support/http-client.ts";
import { openSandbox, type Person, type Sandbox } from "../support/sandbox.ts";
import { until } from "../support/until.ts";

/** The process stands still for so long, then runs for so long, again and again: its loop is late whenever it looks. */
const HELD_MS = 150;
const FREE_MS = 40;
const HEARD_WITHIN_MS = 20_000;

describe("an API whose event loop is held", function () {
  this.timeout(120_000);
  let sandbox: Sandbox;

  before(async () => {
    sandbox = await openSandbox();
  });
  after(() => (sandbox as Sandbox | undefined)?.close());

  /** An API that is held for as long as `work` takes. */
  async function held(name: string, env: NodeJS.ProcessEnv, work: (http: HttpClient) => Promise<void>) {
    const api = await sandbox.start("api", { name, env });
    const http = sandbox.client(api);
    expect((await http.get("/api/products")).status, "before").to.equal(200);
    const ending = new AbortController();
    const holding = hold(api, ending.signal);
    try {
      await work(http);
    } finally {
      ending.abort();
      await holding;
    }
    const served = async () => (await http.get("/api/products")).status === 200;
    await until("it serves everything again", served, HEARD_WITHIN_MS);
    await api.stop();
  }

  async function hold(api: Program, ending: AbortSignal): Promise<void> {
    while (!ending.aborted) {
      api.kill("SIGSTOP");
      await delay(HELD_MS);
      api.kill("SIGCONT");
      await delay(FREE_MS);
    }
  }

  const refusal = (http: HttpClient, method: "GET" | "POST", path: string) =>
    until(
      `${method} ${path} is refused`,
      async () => {
        const answer = await http.send(method, path, method === "POST" ? { body: {} } : {});
        return answer.status === 503 && answer;
      },
      HEARD_WITHIN_MS,
    );

  it("refuses lists with 503, and still takes orders", async () => {
    const { id } = await sandbox.openSale(sandbox.client(await sandbox.start("api")), { stock: 100 });
    const buyers = await sandbox.users(10);
    const env = { SHED_READS_ABOVE_MS: "20", SHED_ALL_BUT_ORDERS_ABOVE_MS: "60000" };
    await held("api-late", env, async (http) => {
      const answer = await refusal(http, "GET", "/api/products");
      expect([codeOf(answer), answer.headers["retry-after"]]).to.deep.equal(["not_ready", "2"]);
      expect(await ordersOf(http, buyers, id)).to.deep.equal(buyers.map(() => 202));
      expect((await http.post("/api/users/login", {})).status, "no read").to.equal(400);
    });
  });

  it("that is later still refuses everything but orders", async () => {
    const { id } = await sandbox.openSale(sandbox.client(await sandbox.start("api", { name: "api-2" })), {
      stock: 100,
    });
    const buyers = await sandbox.users(10);
    const env = { SHED_READS_ABOVE_MS: "20", SHED_ALL_BUT_ORDERS_ABOVE_MS: "20" };
    await held("api-very-late", env, async (http) => {
      const answer = await refusal(http, "POST", "/api/users/login");
      expect(codeOf(answer)).to.equal("not_ready");
      expect(await ordersOf(http, buyers, id)).to.deep.equal(buyers.map(() => 202));
    });
  });

  async function ordersOf(http: HttpClient, buyers: readonly Person[], productId: number): Promise<number[]> {
    const answers = await Promise.all(
      buyers.map(({ token }) => http.post("/api/orders", { productId }, token)),
    );
    return answers.map(({ status }) => status);
  }
});
