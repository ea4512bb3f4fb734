import { expect } from "chai";
import { eventMisfitOf, misfitOf } from "./support/document-check.ts";

const PRODUCT = {
  ...{ id: 1, title: "A sale", price: 1, currency: "KRW", stock: 1, stockLeft: 1, perUserLimit: 1 },
  ...{ startTime: "2027-01-01T09:00:00.000Z", endTime: "2027-01-02T09:00:00.000Z" },
  ...{ state: "open", createdAt: "2026-12-01T09:00:00.000Z" },
};
const json = (body: unknown, status = 200, type = "application/json; charset=utf-8") => ({
  ...{ status, headers: { "content-type": type }, text: JSON.stringify(body) },
});
const good = json({ success: true, data: PRODUCT });
const read = (heard: Parameters<typeof misfitOf>[1], path = "/api/products/1", method = "GET") =>
  misfitOf({ method, path }, heard);

describe("the check of answers against the OpenAPI document", () => {
  it("finds nothing in an answer that fits, however the router takes its address", () => {
    expect(
      ["/api/products/1", "/API/Products/1/", "/api/products/1?x=%00"].map((path) => read(good, path)),
    ).to.deep.equal([undefined, undefined, undefined]);
  });

  it("finds a status that the operation does not have", () => {
    expect(read(json({}, 418))).to.include("GET /api/products/{id} 418: no such status");
  });

  it("finds another content type", () => {
    expect(read(json({}, 404))).to.include('content type "application/json"');
    expect(read({ status: 200, headers: {}, text: "" })).to.include('content type ""');
  });

  it("finds a body with a field too many, one too few, one of another kind, and none at all", () => {
    const { id: _, ...withoutId } = PRODUCT;
    const bodies = [{ ...PRODUCT, secret: 1 }, withoutId, { ...PRODUCT, createdAt: "yesterday" }];
    const found = bodies.map((data) => read(json({ success: true, data })));
    expect(found[0]).to.include("additional properties");
    expect(found[1]).to.include("required property 'id'");
    expect(found[2]).to.include('body/data/createdAt must match format "date-time"');
    expect(read({ ...good, text: "" })).to.include("not JSON");
  });

  it("finds a body where the document has none", () => {
    const logOut = (text: string) => read({ status: 204, headers: {}, text }, "/api/users/logout", "POST");
    expect(logOut("")).to.equal(undefined);
    expect(logOut("{}")).to.include("a body");
  });

  it("takes the operation that is named before the one with a parameter", () => {
    expect(read(json({}, 418), "/api/settlements/latest")).to.include("GET /api/settlements/latest 418");
  });

  it("finds what is wrong with the data of an event, in a stream and by itself", () => {
    const path = "/api/orders/019b77a9-0000-7000-8000-000000000001/events";
    const [data, wrong] = [{}, { secret: 1 }].map((more) =>
      JSON.stringify({
        ...{ orderId: "019b77a9-0000-7000-8000-000000000001", status: "PENDING", productId: 1, quantity: 1 },
        ...{ unitPrice: 1, amount: 1, currency: "KRW", acceptedAt: "2027-01-01T09:00:00.000Z", ...more },
      }),
    ) as [string, string];
    expect(eventMisfitOf(path, data)).to.equal(undefined);
    expect(eventMisfitOf(path, wrong)).to.include("additional properties");
    expect(eventMisfitOf(path, "PENDING")).to.include("not JSON");
    expect(eventMisfitOf("/api/admin/live", data)).to.include("GET /api/admin/live: body must have");
    expect(eventMisfitOf("/api/products", data)).to.include("does not say");
    const stream = (...events: string[]) => ({
      ...{ status: 200, headers: { "content-type": "text/event-stream" } },
      text: events.map((event) => `event: status\ndata: ${event}\n\n`).join(""),
    });
    expect(read(stream(data, data), path)).to.equal(undefined);
    expect(read(stream(data, wrong), path)).to.include("additional properties");
  });

  it("asks of HEAD what it asks of GET, but a body", () => {
    expect(read({ ...good, text: "" }, "/api/products/1", "HEAD")).to.equal(undefined);
    expect(read(json({}, 418), "/api/products/1", "HEAD")).to.include("418");
  });

  it("has nothing to say of other addresses, other methods, and what was no request", () => {
    expect(read(json({}, 404), "/api/nothing")).to.equal(undefined);
    expect(read(json({}, 405), "/api/products/1", "PUT")).to.equal(undefined);
    expect(read(json({}, 431))).to.equal(undefined);
  });
});
