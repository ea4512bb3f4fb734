import { readFileSync } from "node:fs";
import { expect } from "chai";
import { TOPICS } from "../../shared/kafka/topics.ts";
import { openCollector, type Collector, type ToldSpan } from "../support/collector.ts";
import { orderOf } from "../support/bodies.ts";
import type { HttpClient } from "../support/http-client.ts";
import { openSandbox, type Person, type Sandbox } from "../support/sandbox.ts";
import { until } from "../support/until.ts";

const TOLD_DEADLINE_MS = 20_000;
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER = "00f067aa0ba902b7";

describe("the trace of an order, on real servers", function () {
  this.timeout(90_000);
  let sandbox: Sandbox;
  let collector: Collector;
  let http: HttpClient;

  before(async () => {
    collector = await openCollector();
    sandbox = await openSandbox();
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: "100",
      LOG_LEVEL: "debug",
    };
    const api = await sandbox.start("api", { env });
    await sandbox.start("worker", { env });
    http = sandbox.client(api);
  });
  after(async () => {
    await (sandbox as Sandbox | undefined)?.close();
    await (collector as Collector | undefined)?.close();
  });

  const place = async ({ token }: Person, productId: number, traceparent?: string): Promise<string> => {
    const headers = traceparent === undefined ? {} : { traceparent };
    return orderOf(await http.send("POST", "/api/orders", { body: { productId }, token, headers })).orderId;
  };
  const named = (spans: readonly ToldSpan[], name: string): ToldSpan => {
    const found = spans.filter((span) => span.name === name);
    expect(found, name).to.have.lengthOf(1);
    return found[0] as ToldSpan;
  };

  it("goes from the caller's span to the worker's transaction under one trace id", async () => {
    const [buyer] = await sandbox.users(1);
    if (!buyer) throw new Error("no buyer");
    const sale = await sandbox.openSale(http, { stock: 1 });
    const orderId = await place(buyer, sale.id, `00-${TRACE}-${CALLER}-01`);
    const ofTrace = () => collector.spans.filter(({ traceId }) => traceId === TRACE);
    await until("the whole trace is told", () => ofTrace().length >= 5, TOLD_DEADLINE_MS);

    const request = named(ofTrace(), "POST /api/orders");
    const reserve = named(ofTrace(), "reserve units");
    const send = named(ofTrace(), `send ${TOPICS.orders}`);
    const decide = named(ofTrace(), `process ${TOPICS.orders}`);
    const transaction = named(ofTrace(), "transaction");
    expect(ofTrace()).to.have.lengthOf(5);
    expect(request.parentSpanId).to.equal(CALLER);
    expect([reserve.parentSpanId, send.parentSpanId]).to.deep.equal([request.spanId, request.spanId]);
    expect(decide.parentSpanId).to.equal(send.spanId);
    expect(transaction.parentSpanId).to.equal(decide.spanId);
    expect([request, send, decide, transaction].map(({ service }) => service)).to.deep.equal([
      ...["flashpay-api", "flashpay-api"],
      ...["flashpay-worker", "flashpay-worker"],
    ]);
    expect(request.attributes).to.include({ "http.route": "/api/orders", "flashpay.order.id": orderId });
    expect(transaction.attributes).to.include({ "db.system.name": "mysql" });
    const batch = await until(
      "the batch is told",
      () => collector.spans.find(({ links }) => links.includes(send.spanId)),
      TOLD_DEADLINE_MS,
    );
    expect(batch.name).to.equal(`process batch ${TOPICS.orders}`);
    expect(batch.traceId).not.to.equal(TRACE);
  });

  it("holds nothing that is secret, and no span of a trace that the caller does not record", async () => {
    const [buyer] = await sandbox.users(1);
    if (!buyer) throw new Error("no buyer");
    const sale = await sandbox.openSale(http, { stock: 2 });
    const silent = TRACE.replace("4", "5");
    await place(buyer, sale.id, `00-${silent}-${CALLER}-00`);
    await sandbox.users(1).then(([last]) => last && place(last, sale.id));
    await until("a later trace is told", () => collector.spans.length >= 12, TOLD_DEADLINE_MS);
    expect(collector.spans.filter(({ traceId }) => traceId === silent)).to.deep.equal([]);
    expect(JSON.stringify(collector.spans)).not.to.match(/eyJ|password|@/i);
  });

  it("is named by the lines of both programs about the order, recorded or not", async () => {
    const [buyer] = await sandbox.users(1);
    if (!buyer) throw new Error("no buyer");
    const sale = await sandbox.openSale(http, { stock: 1 });
    const silent = TRACE.replace("4", "6");
    const orderId = await place(buyer, sale.id, `00-${silent}-${CALLER}-00`);
    for (const program of ["api", "worker"]) {
      const line = await until(
        `the ${program} has a line about the order`,
        () => linesOf(sandbox, program).find((text) => text.includes(orderId)),
        TOLD_DEADLINE_MS,
      );
      expect(JSON.parse(line)).to.include({ program, orderId, traceId: silent });
    }
  });
});

const linesOf = ({ home }: Sandbox, program: string): string[] =>
  readFileSync(home.log(program), "utf8").split("\n");
