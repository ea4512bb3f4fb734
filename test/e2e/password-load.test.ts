import { expect } from "chai";
import { codeOf } from "../support/bodies.ts";
import { inParallel, type HttpClient } from "../support/http-client.ts";
import { openSandbox, type Sandbox } from "../support/sandbox.ts";

const LOG_INS = 200;
const QUEUE_MAX = 10;

describe("more log-ins than there are threads for", function () {
  this.timeout(120_000);
  let sandbox: Sandbox;

  before(async () => {
    sandbox = await openSandbox();
  });
  after(() => (sandbox as Sandbox | undefined)?.close());

  // Counted in Redis, by all processes: what one test has spent must not be the next one's.
  beforeEach(async () => {
    await sandbox.redis.del("none", ...(await sandbox.redis.keys("rate:*")));
  });

  const flood = (http: HttpClient, path: string) =>
    inParallel(
      Array.from({ length: LOG_INS }, (_, i) => i),
      64,
      (i) => {
        const account = { username: `somebody-${i}`, password: "correct horse battery" };
        const body = path.endsWith("login")
          ? account
          : { ...account, email: `${account.username}@example.com` };
        return http.post(path, body);
      },
    );

  it("hear 503, while every order is taken", async () => {
    const api = await sandbox.start("api", { env: { PASSWORD_QUEUE_MAX: String(QUEUE_MAX) } });
    const { id } = await sandbox.openSale(sandbox.client(api), { stock: 1_000 });
    const buyers = await sandbox.users(100);
    const shop = sandbox.client(api);
    let flooded = false;
    const flooding = flood(sandbox.client(api), "/api/users/login").finally(() => (flooded = true));
    const statuses = [];
    for (const { token } of buyers)
      statuses.push((await shop.post("/api/orders", { productId: id }, token)).status);
    const wereBeside = !flooded;
    const heard = new Map<string, number>();
    for (const answer of await flooding) {
      const kind = `${answer.status} ${codeOf(answer)}`;
      heard.set(kind, (heard.get(kind) ?? 0) + 1);
    }
    expect(statuses).to.deep.equal(buyers.map(() => 202));
    expect([...heard.keys()].sort()).to.deep.equal(["401 unauthenticated", "503 not_ready"]);
    expect(heard.get("401 unauthenticated")).to.be.greaterThan(QUEUE_MAX);
    expect(wereBeside, "the orders ended before the log-ins did").to.equal(true);
    await api.stop();
  });

  it("from one address are its allowance of passwords, sign-ups and right ones included, then 429", async () => {
    const api = await sandbox.start("api", { name: "api-allowance", env: { PASSWORDS_PER_ADDRESS: "20" } });
    const http = sandbox.client(api);
    const [person] = await sandbox.users(1);
    const right = { username: person?.username ?? "", password: "seeded horse battery" };
    expect((await http.post("/api/users/login", right)).status).to.equal(200);
    const answers = await flood(http, "/api/users/signup");
    const made = answers.filter(({ status }) => status === 201).length;
    // The window of ten seconds may turn once while the sign-ups are under way.
    expect(made).to.be.within(19, 39);
    expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([201, 429]));
    const refused = answers.find(({ status }) => status === 429);
    expect(Number(refused?.headers["retry-after"])).to.be.within(1, 10);
    await api.stop();
  });
});
