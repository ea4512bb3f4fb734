import { expect } from "chai";
import type { Message } from "kafkajs";
import { v7 as uuidv7 } from "uuid";
import { TOPICS } from "../../shared/kafka/topics.ts";
import type { OrderMessage } from "../../shared/domain/order.ts";
import type { Program } from "../../tools/stack/programs.ts";
import { orderOf, saleOf, type SaleBody } from "../support/bodies.ts";
import { NAMED, UNNAMED, type BadKind, type Value } from "../support/bad-messages.ts";
import { readDeadLetters, type ParkedMessage } from "../support/dead-letters.ts";
import type { HttpClient } from "../support/http-client.ts";
import { broken, openSandbox, type Person, type Sandbox } from "../support/sandbox.ts";
import { takeUnit } from "../support/take-unit.ts";
import { until } from "../support/until.ts";

const GOOD_BETWEEN = 3;
const PRICE = 12_900;
const DECIDED_DEADLINE_MS = 30_000;
const DUPLICATED_ORDERS = 500;
const COPIES_MAX = 5;

/** These tell of no wrong producer: they fail, and are not parked. */
const NOT_PARKED: ReadonlySet<string> = new Set(["limit_exceeded"]);

describe("messages on the topic", function () {
  this.timeout(90_000);
  let sandbox: Sandbox;
  let http: HttpClient;
  let worker: Program;
  let partitions: number;

  before(async () => {
    sandbox = await openSandbox();
    const [api] = await Promise.all([
      sandbox.start("api"),
      sandbox.start("worker").then((w) => (worker = w)),
    ]);
    http = sandbox.client(api);
    partitions = (await sandbox.admin.fetchTopicOffsets(TOPICS.orders)).length;
  });
  after(() => (sandbox as Sandbox | undefined)?.close());

  const reserve = (sale: SaleBody, buyer: Person) => takeUnit(sandbox.redis, sale.id, buyer.id);
  const send = (messages: Message[]) => sandbox.producer.send({ topic: TOPICS.orders, acks: -1, messages });
  const nothingOpen = () =>
    until("everything is decided", async () => (await sandbox.lag()) === 0, DECIDED_DEADLINE_MS, 50);
  const letters = () =>
    sandbox.database.rows<{
      partition_no: number;
      offset_no: number;
      order_id: string | null;
      error: string;
    }>("SELECT partition_no, offset_no, order_id, error FROM dead_letters");

  describe("of every bad kind among good ones", () => {
    interface Sent {
      readonly kind: BadKind;
      readonly buyer: Person;
      readonly order: OrderMessage;
      readonly value: Value;
    }
    const bad: Sent[] = [];
    const good: OrderMessage[] = [];
    let sale: SaleBody;
    let inTopic: ParkedMessage[];
    const isParked = ({ kind }: Sent): boolean => !NOT_PARKED.has(kind.reason ?? "");

    before(async () => {
      const kinds = [...UNNAMED, ...NAMED];
      sale = await sandbox.openSale(http, { stock: 1_000, price: PRICE });
      const buyers = await sandbox.users(kinds.length * (1 + GOOD_BETWEEN));
      const messages: Message[] = [];
      for (const [i, kind] of kinds.entries()) {
        const buyer = buyers.pop()!;
        const partition = i % partitions;
        const { order } = kind.reason
          ? await reserve(sale, buyer)
          : { order: { ...({} as OrderMessage), v: 1 as const, orderId: uuidv7(), userId: buyer.id } };
        const value = kind.bend(order, sale);
        bad.push({ kind, buyer, order, value });
        messages.push({ partition, key: i % 5 === 0 ? null : order.orderId, value });
        for (let n = 0; n < GOOD_BETWEEN; n += 1) {
          const neighbour = await reserve(sale, buyers.pop()!);
          good.push(neighbour.order);
          messages.push({ partition, key: neighbour.order.orderId, value: neighbour.value });
        }
      }
      await send(messages);
      await nothingOpen();
      inTopic = await readDeadLetters(sandbox.kafka);
    });

    it("leave their good neighbours as if they were not there", async () => {
      const rows = new Map((await sandbox.rowsOf(sale.id)).map((row) => [row.id, row.status]));
      expect(good.filter(({ orderId }) => rows.get(orderId) !== "SUCCESS")).to.deep.equal([]);
      const settled = await sandbox.database.count("SELECT COUNT(*) FROM settlements WHERE product_id = ?", [
        sale.id,
      ]);
      expect(settled).to.equal(good.length);
    });

    it("stand in the table, once each, and nothing else does", async () => {
      expect(await letters()).to.have.length(bad.filter(isParked).length);
    });

    it("stand in the dead-letter topic as they came, with where they stood and why", async () => {
      const rows = await letters();
      const places = new Set(rows.map((row) => `${row.partition_no}/${row.offset_no}`));
      const ours = inTopic.filter(({ partition, offset }) => places.has(`${partition}/${offset}`));
      expect(ours).to.have.length(rows.length);
      for (const letter of ours) {
        expect(letter.topic).to.equal(TOPICS.orders);
        expect(letter.error).to.not.equal("");
        expect(new Date(letter.at).toISOString()).to.equal(letter.at);
      }
      const wanted = bad.filter(isParked).map(({ value }) => (value === null ? "null!" : text(value)));
      expect(ours.map(({ value }) => (value === null ? "null!" : text(value)))).to.have.members(wanted);
    });

    for (const { what, reason } of NAMED) {
      it(`${what}: its order is FAILED, ${reason ?? ""}, also for its owner`, async () => {
        const { order, buyer } = bad.find(({ kind }) => kind.what === what)!;
        const read = orderOf(await http.get(`/api/orders/${order.orderId}`, sandbox.host.token));
        expect(read).to.include({ status: "FAILED", failReason: reason });
        expect(read).to.not.have.property("settlement");
        if (reason === "unknown_user") return;
        const own = orderOf(await http.get(`/api/orders/${order.orderId}`, buyer.token));
        expect(own.status).to.equal("FAILED");
      });
    }

    for (const { what } of UNNAMED) {
      it(`${what}: no order comes of it`, async () => {
        const { order } = bad.find(({ kind }) => kind.what === what)!;
        const rows = await sandbox.database.rows("SELECT id FROM orders WHERE id = ?", [order.orderId]);
        expect(rows).to.deep.equal([]);
      });
    }

    it("give their units back, and the limit with it", async () => {
      await until(
        "the units are back",
        async () => saleOf(await http.get(`/api/products/${sale.id}`)).stockLeft === 1_000 - good.length,
        DECIDED_DEADLINE_MS,
      );
      const { buyer } = bad.find(({ kind }) => kind.reason === "price_mismatch")!;
      const again = await http.post("/api/orders", { productId: sale.id }, buyer.token);
      expect(again.status, again.text).to.equal(202);
    });

    it("are counted by the worker", async () => {
      const { text: metrics } = await sandbox.client(worker).get("/metrics");
      const parked = bad.filter(isParked).length;
      expect(metrics).to.match(new RegExp(`^flashpay_worker_parked_total\\S* ${parked}$`, "m"));
      expect(metrics).to.match(new RegExp(`^flashpay_dead_letters\\S* ${parked}$`, "m"));
    });

    it("block no partition: an order in each is decided at once", async () => {
      const buyers = await sandbox.users(partitions);
      const orders = await Promise.all(buyers.map((buyer) => reserve(sale, buyer)));
      await send(orders.map(({ order, value }, partition) => ({ partition, key: order.orderId, value })));
      await until(
        "all are decided",
        async () => {
          const rows = new Set((await sandbox.rowsOf(sale.id)).map(({ id }) => id));
          return orders.every(({ order }) => rows.has(order.orderId));
        },
        2_000,
      );
    });

    it("break no invariant", async () => {
      expect(broken(await sandbox.verify("--allow-failed"))).to.deep.equal([]);
    });
  });

  describe("that come more than once", () => {
    it("with the id of a settled order and other facts change nothing, and are parked", async () => {
      const sale = await sandbox.openSale(http, { stock: 5, price: PRICE, perUserLimit: 5 });
      const [buyer] = await sandbox.users(1);
      const before = await letters();
      const { order, value } = await reserve(sale, buyer!);
      const key = order.orderId;
      await send([{ partition: 0, key, value }]);
      await nothingOpen();
      const copies = [
        { ...order, quantity: 2 },
        { ...order, quantity: -1 },
        { ...order, unitPrice: 1 },
        { ...order, userId: sandbox.host.id },
        { ...order, acceptedAt: order.acceptedAt + 1 },
      ];
      await send(copies.map((copy, i) => ({ partition: i % partitions, key, value: JSON.stringify(copy) })));
      // A copy with more in it than we know is the same order, told twice.
      await send([{ partition: 1, key, value: JSON.stringify({ ...order, note: "more" }) }]);
      await nothingOpen();
      expect(await letters()).to.have.length(before.length + copies.length);
      const rows = await sandbox.rowsOf(sale.id);
      expect(rows.map(({ id, status }) => [id, status])).to.deep.equal([[key, "SUCCESS"]]);
      expect(saleOf(await http.get(`/api/products/${sale.id}`)).stockLeft).to.equal(4);
      expect(broken(await sandbox.verify("--allow-failed"))).to.deep.equal([]);
    });

    it(`in up to ${COPIES_MAX} copies, shuffled over two workers, settle once`, async () => {
      const before = await letters();
      const second = await sandbox.start("worker", { name: "worker-2" });
      try {
        const sale = await sandbox.openSale(http, { stock: 10_000, price: PRICE });
        const buyers = await sandbox.users(DUPLICATED_ORDERS);
        const orders = await Promise.all(buyers.map((buyer) => reserve(sale, buyer)));
        const copies = orders.flatMap(({ order, value }, i) =>
          Array.from({ length: 1 + (i % COPIES_MAX) }, () => ({ key: order.orderId, value })),
        );
        const inAnyOrder = copies.map((copy) => ({ copy, at: Math.random() })).sort((a, b) => a.at - b.at);
        // Not by key: copies of one order meet in different partitions, hence in different workers.
        await send(inAnyOrder.map(({ copy }, i) => ({ ...copy, partition: i % partitions })));
        await nothingOpen();
        const rows = await sandbox.rowsOf(sale.id);
        expect(rows).to.have.length(DUPLICATED_ORDERS);
        expect(rows.every(({ status }) => status === "SUCCESS")).to.equal(true);
        expect(await letters()).to.have.length(before.length);
        expect(broken(await sandbox.verify("--allow-failed"))).to.deep.equal([]);
        const decisions = (await sandbox.client(second).get("/metrics")).text;
        expect(decisions, "the second worker had its share").to.match(
          /^flashpay_worker_decisions_total\{.* [1-9]/m,
        );
      } finally {
        await second.stop();
      }
    });
  });
});

const text = (value: string | Buffer): string => Buffer.from(value).toString("latin1");
