import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { orderIdOf, SALE_START } from "../shared/testing/samples.ts";
import { createHttpClient, type Answer, type HttpClient } from "../test/support/http-client.ts";
import { createTestApp } from "./app.test.ts";

const HEADER = "id,orderId,userId,productId,type,amount,currency,settledAt";

/** Three settlements: of user 1, 2 and 1, a day apart. */
async function serving(
  work: (http: HttpClient, shop: ReturnType<typeof createTestApp>) => Promise<void>,
): Promise<void> {
  const shop = createTestApp();
  const { tables } = shop.database;
  [1, 2, 1].forEach((userId, i) => {
    const id = i + 1;
    tables.settlements.set(orderIdOf(id), {
      ...{ id, orderId: orderIdOf(id), userId, productId: 1, type: "charge" },
      ...{ amount: 100 * id, currency: "KRW", settledAt: SALE_START + i * 86_400_000 },
    });
  });
  tables.totals.set("product:1:KRW", { currency: "KRW", count: 3, amount: 600 });
  const server = createServer(shop.app).listen(0, "127.0.0.1");
  await once(server, "listening");
  const http = createHttpClient(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
  try {
    await work(http, shop);
  } finally {
    http.close();
    server.close();
    server.closeAllConnections();
  }
}
const tokenOf = (shop: ReturnType<typeof createTestApp>, id: number, role?: "admin") =>
  shop.bearer(id, role).replace("Bearer ", "");
const linesOf = ({ text }: Answer): string[] => text.trimEnd().split("\r\n");
const idsOf = (answer: Answer): string[] =>
  linesOf(answer)
    .slice(1)
    .map((line) => line.split(",")[0] ?? "");
const dataOf = ({ text }: Answer): unknown => (JSON.parse(text) as { data: unknown }).data;

describe("a history of settlements over HTTP", () => {
  it("is a file for whoever asks for one, by Accept or by ?format=, and JSON for all others", async () => {
    await serving(async (http, shop) => {
      const token = tokenOf(shop, 1);
      const as = (accept: string, query = "") =>
        http.send("GET", `/api/settlements${query}`, { token, headers: { Accept: accept } });
      for (const answer of [
        await as("text/csv"),
        await as("*/*", "?format=csv"),
        await as("text/csv;q=0.9, */*;q=0.1"),
      ]) {
        expect(answer.headers).to.include({
          "content-type": "text/csv; charset=utf-8; header=present",
          "content-disposition": 'attachment; filename="settlements.csv"',
          "cache-control": "no-store",
          vary: "Accept",
        });
        expect(linesOf(answer)[0]).to.equal(HEADER);
        expect(idsOf(answer)).to.deep.equal(["3", "1"]);
      }
      for (const answer of [
        await as("*/*"),
        await as("application/json, text/csv"),
        await as("text/csv", "?format=json"),
      ])
        expect(answer.headers["content-type"]).to.match(/^application\/json/);
      expect((await as("*/*", "?format=xml")).status).to.equal(400);
    });
  });

  it("links a file's next page, filters included", async () => {
    await serving(async (http, shop) => {
      const token = tokenOf(shop, 3, "admin");
      const first = await http.get("/api/settlements?format=csv&limit=2&productId=1", token);
      expect(idsOf(first)).to.deep.equal(["3", "2"]);
      const next = /^<(\S+)>; rel="next"$/.exec(String(first.headers["link"]))?.[1] ?? "";
      const second = await http.get(next, token);
      expect(next).to.include("productId=1");
      expect(idsOf(second)).to.deep.equal(["1"]);
      expect(second.headers).not.to.have.property("link");
    });
  });

  it("is filtered by period, user and product, on each of its addresses", async () => {
    await serving(async (http, shop) => {
      const token = tokenOf(shop, 3, "admin");
      const ids = async (path: string) =>
        (dataOf(await http.get(`/api/settlements${path}`, token)) as { id: number }[]).map(({ id }) => id);
      expect(await ids("?userId=1")).to.deep.equal([3, 1]);
      expect(await ids("?userId=1&from=2027-01-02T00:00:00Z")).to.deep.equal([3]);
      expect(await ids("?from=2027-01-02&to=2027-01-03")).to.deep.equal([2]);
      expect(await ids("/users/1?to=2027-01-02&productId=1")).to.deep.equal([1]);
      expect(await ids("/users/1?productId=2")).to.deep.equal([]);
      expect(await ids("/products/1?userId=2")).to.deep.equal([2]);
    });
  });

  for (const query of [
    ...["from=x", "from=2027-02-30", "to=1999-12-31", "from=2027-01-02&to=2027-01-01", "from=1", "from="],
    ...["from=2027-01-01T00:00:00%2B09:00", "from=2027-01-01&from=2027-01-02", "userId=0", "productId=1e3"],
  ]) {
    it(`?${query} is refused, and said why`, async () => {
      await serving(async (http, shop) => {
        for (const path of ["/api/settlements", "/api/settlements/export", "/api/settlements/daily"]) {
          const { status, text } = await http.get(`${path}?${query}`, tokenOf(shop, 3, "admin"));
          expect(status, path).to.equal(400);
          const { code, errors } = JSON.parse(text) as { code: string; errors: { pointer: string }[] };
          expect(code).to.equal("validation_failed");
          expect(errors[0]?.pointer).to.match(/^#\/query\/(from|to|userId|productId)/);
        }
      });
    });
  }
});

describe("an export over HTTP", () => {
  it("is a file whose Link is its control sheet", async () => {
    await serving(async (http, shop) => {
      const token = tokenOf(shop, 3, "admin");
      const answer = await http.get("/api/settlements/export?from=2027-01-02", token);
      expect(answer.status).to.equal(200);
      expect(idsOf(answer)).to.deep.equal(["2", "3"]);
      const sheetAt = /^<(\S+)>; rel="describedby"/.exec(String(answer.headers["link"]))?.[1] ?? "";
      const sheet = dataOf(await http.get(sheetAt, token));
      expect(sheet).to.deep.include({
        ...{ count: 2, firstId: 2, lastId: 3, bytes: answer.text.length },
        totals: [{ currency: "KRW", count: 2, amount: 500 }],
        filter: { from: "2027-01-01T15:00:00.000Z", to: null, userId: null, productId: null },
      });
    });
  });

  it("that cannot be whole breaks off, so that no client takes it for whole", async () => {
    await serving(async (http, shop) => {
      shop.database.settlementSnapshots.rowsLost.add(3);
      const outcome = await http.get("/api/settlements/export", tokenOf(shop, 3, "admin")).then(
        () => "whole",
        () => "broken off",
      );
      expect(outcome).to.equal("broken off");
      expect(shop.database.settlementSnapshots.isOpen()).to.equal(0);
    });
  });

  it("that cannot even begin is refused in words", async () => {
    await serving(async (http, shop) => {
      shop.database.tables.totals.clear();
      const { status, text } = await http.get("/api/settlements/export", tokenOf(shop, 3, "admin"));
      expect([status, (JSON.parse(text) as { code: string }).code]).to.deep.equal([500, "internal"]);
    });
  });

  it("is not made for HEAD", async () => {
    await serving(async (http, shop) => {
      const token = tokenOf(shop, 3, "admin");
      const { status, headers } = await http.send("HEAD", "/api/settlements/export", { token });
      expect(status).to.equal(200);
      expect(headers["content-type"]).to.match(/^text\/csv/);
      expect(shop.administration.entries).to.deep.equal([]);
    });
  });

  it("has no sheet under an id that is none", async () => {
    await serving(async (http, shop) => {
      const token = tokenOf(shop, 3, "admin");
      expect((await http.get("/api/settlements/exports/1", token)).status).to.equal(400);
      expect((await http.get(`/api/settlements/exports/${orderIdOf(9)}`, token)).status).to.equal(404);
    });
  });
});

describe("a daily summary over HTTP", () => {
  it("is JSON or a file, a row a day and product", async () => {
    await serving(async (http, shop) => {
      const token = tokenOf(shop, 3, "admin");
      const path = "/api/settlements/daily?from=2027-01-01&to=2027-01-03";
      const { timeZone, days } = dataOf(await http.get(path, token)) as { timeZone: string; days: object[] };
      expect(timeZone).to.equal("Asia/Seoul");
      expect(days).to.have.length(2);
      expect(linesOf(await http.get(`${path}&format=csv`, token))).to.deep.equal([
        "day,productId,title,currency,count,amount",
        '2027-01-01,1,"Winter concert, standing",KRW,1,100',
        '2027-01-02,1,"Winter concert, standing",KRW,1,200',
      ]);
    });
  });
});
