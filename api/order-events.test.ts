import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { request } from "../test/support/checked-request.ts";
import { eventMisfitOf } from "../test/support/document-check.ts";
import { until } from "../test/support/until.ts";
import { sampleOrder } from "../shared/testing/samples.ts";
import { createTestApp } from "./app.test.ts";

const TOLD_DEADLINE_MS = 2_000;

type Scene = ReturnType<typeof createTestApp>;

async function placed(scene: Scene): Promise<string> {
  await scene.openSale();
  const { headers } = await request(scene.app)
    .post("/api/orders")
    .set("Authorization", scene.bearer(1))
    .send({ productId: 1 });
  return (headers["location"] ?? "").replace("/api/orders/", "");
}

function decide({ database, clock }: Scene, orderId: string): void {
  const row = sampleOrder({ orderId, userId: 1 });
  database.tables.orders.set(orderId, {
    ...row,
    status: "SUCCESS",
    failReason: null,
    decidedAt: clock.now(),
  });
}

const follow = ({ app, bearer }: Scene, orderId: string, user = 1) =>
  request(app).get(`/api/orders/${orderId}/events`).set("Authorization", bearer(user));

/** What the stream carried, without its data. */
const eventsIn = (text: string) =>
  [...text.matchAll(/^event: ?(\w+)\nid: ?(\w+)|^id: ?(\w+)\nevent: ?(\w+)/gm)].map(([found]) =>
    found.replaceAll(/\s/g, "").replace("event:status", "").replace("id:", ""),
  );

describe("the events of an order", () => {
  it("of a decided one are its end, and then the stream closes", async () => {
    const scene = createTestApp();
    const orderId = await placed(scene);
    decide(scene, orderId);
    const { status, headers, text } = await follow(scene, orderId);
    expect(status).to.equal(200);
    expect(headers).to.include({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    expect(eventsIn(text)).to.deep.equal(["SUCCESS"]);
    const data = JSON.parse(/^data: ?(.*)$/m.exec(text)?.[1] ?? "") as object;
    expect(data).to.include({ orderId, status: "SUCCESS" });
  });

  it("of an undecided one are PENDING at once, and its end when it comes", async () => {
    const scene = createTestApp();
    const orderId = await placed(scene);
    const server = scene.app.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    try {
      const response = await fetch(`http://127.0.0.1:${port}/api/orders/${orderId}/events`, {
        headers: { Authorization: scene.bearer(1) },
      });
      let text = "";
      for await (const chunk of response.body ?? []) {
        text += Buffer.from(chunk as Uint8Array).toString();
        if (!text.includes("PENDING") || scene.database.tables.orders.has(orderId)) continue;
        decide(scene, orderId);
        scene.streams.decided([orderId]);
      }
      expect(eventsIn(text)).to.deep.equal(["PENDING", "SUCCESS"]);
      for (const [, data = ""] of text.matchAll(/^data: ?(.*)$/gm))
        expect(eventMisfitOf(`/api/orders/${orderId}/events`, data)).to.equal(undefined);
    } finally {
      server.close();
    }
    expect(scene.streams.size()).to.equal(0);
    // What a stream lets go of early is nothing that its line in the log needs.
    const path = `/api/orders/${orderId}/events`;
    const told = await until(
      "the request is told",
      () => scene.log.lines.find(({ fields }) => fields["path"] === path)?.fields,
      TOLD_DEADLINE_MS,
    );
    expect(told).to.include({ method: "GET", status: 200, userId: 1, orderId });
    expect(told["traceId"]).to.match(/^[0-9a-f]{32}$/);
  });

  it("that were seen are not told again: nothing new of a decided order is 204, which ends an EventSource", async () => {
    const scene = createTestApp();
    const orderId = await placed(scene);
    decide(scene, orderId);
    const again = await follow(scene, orderId).set("Last-Event-ID", "SUCCESS");
    expect([again.status, again.text]).to.deep.equal([204, ""]);
    const behind = await follow(scene, orderId).set("Last-Event-ID", "PENDING");
    expect(eventsIn(behind.text)).to.deep.equal(["SUCCESS"]);
  });

  it("are for its owner and administrators; others hear what they hear of an order that does not exist", async () => {
    const scene = createTestApp();
    const orderId = await placed(scene);
    decide(scene, orderId);
    const admin = await request(scene.app)
      .get(`/api/orders/${orderId}/events`)
      .set("Authorization", scene.bearer(3, "admin"));
    expect(admin.status).to.equal(200);
    const other = await follow(scene, orderId, 2);
    expect([other.status, (other.body as { code: string }).code]).to.deep.equal([404, "not_found"]);
    expect(scene.streams.size()).to.equal(0);
    expect((await request(scene.app).get(`/api/orders/${orderId}/events`)).status).to.equal(401);
  });

  it("answer HEAD without staying open", async () => {
    const scene = createTestApp();
    const orderId = await placed(scene);
    const { status, headers } = await request(scene.app)
      .head(`/api/orders/${orderId}/events`)
      .set("Authorization", scene.bearer(1));
    expect([status, headers["content-type"]]).to.deep.equal([200, "text/event-stream; charset=utf-8"]);
  });
});
