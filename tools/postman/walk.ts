import { idOf, type Item } from "./convert.ts";

/** Everything that the walk keeps from one request for the next; postman/local.postman_environment.json lists the rest. */
export const WALK = "Walk: from sign-up to settlement";

const POLLS_MAX = 100;
const POLL_DELAY_MS = 100;

interface Step {
  readonly name: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Whose token goes with it. */
  readonly as?: "user" | "admin";
  readonly headers?: Readonly<Record<string, string>>;
  /** Text with Postman's variables in it; numbers stay numbers that way. */
  readonly body?: string;
  readonly before?: string;
  readonly test: string;
}

const STEPS: readonly Step[] = [
  {
    name: "1. Sign up",
    method: "POST",
    path: "/api/users/signup",
    body: '{\n  "username": "{{walkUsername}}",\n  "email": "{{walkUsername}}@example.com",\n  "password": "{{walkPassword}}"\n}',
    before: `
      const guid = pm.variables.replaceIn("{{$guid}}");
      pm.environment.set("walkUsername", "walk-" + guid.slice(0, 8) + guid.slice(24));
      pm.environment.set("walkPassword", pm.variables.replaceIn("{{$guid}}"));`,
    test: `
      pm.test("201: the account is a user's", () => {
        pm.response.to.have.status(201);
        const { success, data } = pm.response.json();
        pm.expect(success).to.equal(true);
        pm.expect(data).to.have.all.keys("id", "username", "email", "role", "createdAt");
        pm.expect(data.id).to.be.a("number");
        pm.expect(data.username).to.equal(pm.environment.get("walkUsername"));
        pm.expect(data.role).to.equal("user");
        pm.environment.set("walkUserId", data.id);
      });`,
  },
  {
    name: "2. Log in",
    method: "POST",
    path: "/api/users/login",
    body: '{\n  "username": "{{walkUsername}}",\n  "password": "{{walkPassword}}"\n}',
    test: `
      pm.test("200: a bearer token", () => {
        pm.response.to.have.status(200);
        const { data } = pm.response.json();
        pm.expect(data.tokenType).to.equal("Bearer");
        pm.expect(data.expiresIn).to.be.above(0);
        pm.expect(data.accessToken.split(".")).to.have.lengthOf(3);
        pm.environment.set("userToken", data.accessToken);
        // What the other folders of this collection are sent with.
        pm.environment.set("bearerToken", data.accessToken);
      });`,
  },
  {
    name: "3. Log in as administrator",
    method: "POST",
    path: "/api/users/login",
    body: '{\n  "username": "{{adminUsername}}",\n  "password": "{{adminPassword}}"\n}',
    test: `
      pm.test("200: a bearer token (adminUsername and adminPassword are in the environment)", () => {
        pm.response.to.have.status(200);
        pm.environment.set("adminToken", pm.response.json().data.accessToken);
      });`,
  },
  {
    name: "4. Open a sale",
    method: "POST",
    path: "/api/products",
    as: "admin",
    body: '{\n  "title": "A walk\'s sale",\n  "price": 12900,\n  "stock": 10,\n  "startTime": "{{walkStartTime}}"\n}',
    before: `
      // A minute ago: the server's clock need not be this one.
      pm.environment.set("walkStartTime", new Date(Date.now() - 60000).toISOString());`,
    test: `
      pm.test("201: the sale is open, with its whole stock", () => {
        pm.response.to.have.status(201);
        const { data } = pm.response.json();
        pm.expect(data).to.include({ price: 12900, currency: "KRW", stock: 10, stockLeft: 10, perUserLimit: 1, state: "open" });
        pm.expect(pm.response.headers.get("Location")).to.equal("/api/products/" + data.id);
        pm.environment.set("walkProductId", data.id);
      });`,
  },
  {
    name: "5. Order",
    method: "POST",
    path: "/api/orders",
    as: "user",
    headers: { "Idempotency-Key": "{{walkKey}}" },
    body: '{\n  "productId": {{walkProductId}}\n}',
    before: `
      pm.environment.set("walkKey", pm.variables.replaceIn("{{$guid}}"));`,
    test: `
      pm.test("202: the order is taken", () => {
        pm.response.to.have.status(202);
        const { data } = pm.response.json();
        pm.expect(data).to.include({ status: "PENDING", quantity: 1, unitPrice: 12900, amount: 12900, currency: "KRW" });
        pm.expect(data.productId).to.equal(Number(pm.environment.get("walkProductId")));
        pm.expect(pm.response.headers.get("Location")).to.equal("/api/orders/" + data.orderId);
        pm.environment.set("walkOrderId", data.orderId);
        pm.environment.set("walkAnswer", pm.response.text());
        pm.environment.set("walkPolls", 0);
      });`,
  },
  {
    name: "6. The same order again",
    method: "POST",
    path: "/api/orders",
    as: "user",
    headers: { "Idempotency-Key": "{{walkKey}}" },
    body: '{\n  "productId": {{walkProductId}}\n}',
    test: `
      pm.test("202: the first answer, byte for byte", () => {
        pm.response.to.have.status(202);
        pm.expect(pm.response.headers.get("Idempotent-Replayed")).to.equal("true");
        pm.expect(pm.response.text()).to.equal(pm.environment.get("walkAnswer"));
      });`,
  },
  {
    name: "7. Poll until SUCCESS",
    method: "GET",
    path: "/api/orders/{{walkOrderId}}",
    as: "user",
    test: `
      const polls = Number(pm.environment.get("walkPolls")) + 1;
      pm.environment.set("walkPolls", polls);
      const order = pm.response.code === 200 ? pm.response.json().data : {};
      if (order.status === "PENDING" && polls < ${POLLS_MAX}) {
        pm.execution.setNextRequest(pm.info.requestName);
        setTimeout(() => {}, ${POLL_DELAY_MS});
      } else {
        pm.test("200: the order is SUCCESS, with its settlement", () => {
          pm.response.to.have.status(200);
          pm.expect(order.orderId).to.equal(pm.environment.get("walkOrderId"));
          pm.expect(order.status).to.equal("SUCCESS");
          pm.expect(order.settlement.amount).to.equal(12900);
          pm.environment.set("walkSettlementId", order.settlement.id);
        });
      }`,
  },
  {
    name: "8. Read the settlement",
    method: "GET",
    path: "/api/settlements/users/{{walkUserId}}/latest",
    as: "user",
    test: `
      pm.test("200: the settlement of this order", () => {
        pm.response.to.have.status(200);
        const { data } = pm.response.json();
        pm.expect(data).to.include({ type: "charge", amount: 12900, currency: "KRW" });
        pm.expect(data.id).to.equal(Number(pm.environment.get("walkSettlementId")));
        pm.expect(data.orderId).to.equal(pm.environment.get("walkOrderId"));
        pm.expect(data.userId).to.equal(Number(pm.environment.get("walkUserId")));
        pm.expect(data.productId).to.equal(Number(pm.environment.get("walkProductId")));
      });`,
  },
  {
    name: "9. Read the total",
    method: "GET",
    path: "/api/settlements/users/{{walkUserId}}/total",
    as: "user",
    test: `
      pm.test("200: charged once", () => {
        pm.response.to.have.status(200);
        pm.expect(pm.response.json().data.totals).to.deep.equal([{ currency: "KRW", count: 1, amount: 12900 }]);
      });`,
  },
  {
    name: "10. Read the sale",
    method: "GET",
    path: "/api/products/{{walkProductId}}",
    test: `
      pm.test("200: one unit is gone", () => {
        pm.response.to.have.status(200);
        pm.expect(pm.response.json().data).to.include({ stock: 10, stockLeft: 9, state: "open" });
      });`,
  },
];

/** A buyer's way through FlashPay, each step with its test; run in order, in Postman's runner or by newman. */
export function walkFolder(): Item {
  return {
    id: idOf(WALK),
    name: WALK,
    description:
      "Run this folder as a whole, with an environment that names an administrator. Every step tests its answer's body.",
    item: STEPS.map(toItem),
  };
}

function toItem(step: Step): Item {
  const { name, method, path, as, headers = {}, body, before, test } = step;
  const sent = {
    Accept: "application/json",
    ...(body && { "Content-Type": "application/json" }),
    ...headers,
  };
  return {
    id: idOf(`${WALK}/${name}`),
    name,
    event: [
      ...(before ? [{ listen: "prerequest", script: scriptOf(before) }] : []),
      { listen: "test", script: scriptOf(test) },
    ],
    request: {
      method,
      url: { raw: `{{baseUrl}}${path}`, host: ["{{baseUrl}}"], path: path.slice(1).split("/") },
      header: Object.entries(sent).map(([key, value]) => ({ key, value })),
      auth: as
        ? { type: "bearer", bearer: [{ key: "token", value: `{{${as}Token}}`, type: "string" }] }
        : { type: "noauth" },
      ...(body && { body: { mode: "raw", raw: body, options: { raw: { language: "json" } } } }),
    },
    response: [],
  };
}

/** Postman keeps a script line by line; the indentation of this file stays here. */
function scriptOf(source: string): object {
  const lines = source.replace(/^\n/, "").split("\n");
  const margin = /^ */.exec(lines[0] ?? "")?.[0].length ?? 0;
  return { type: "text/javascript", exec: lines.map((line) => line.slice(margin)) };
}
