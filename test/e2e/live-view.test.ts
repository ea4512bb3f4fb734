import { expect } from "chai";
import type { Program } from "../../tools/stack/programs.ts";
import { orderOf } from "../support/bodies.ts";
import { followStream } from "../support/followed-stream.ts";
import { openSandbox, type Sandbox } from "../support/sandbox.ts";
import { until } from "../support/until.ts";

const SEEN_DEADLINE_MS = 15_000;

interface Snapshot {
  readonly sales: readonly { readonly id: number; readonly accepted: number; readonly settled: number }[];
  readonly lag: number | null;
}

describe("the live view, on real servers", function () {
  this.timeout(60_000);
  let sandbox: Sandbox;
  let api: Program;
  before(async () => {
    sandbox = await openSandbox();
    [api] = await Promise.all([sandbox.start("api"), sandbox.start("worker")]);
  });
  after(() => (sandbox as Sandbox | undefined)?.close());

  it("tells of an order and its settlement in events as the OpenAPI document has them", async () => {
    const http = sandbox.client(api);
    const stream = followStream(api, { path: "/api/admin/live", token: sandbox.host.token });
    const [buyer] = await sandbox.users(1);
    const sale = await sandbox.openSale(http, { stock: 1 });
    const { status } = orderOf(await http.post("/api/orders", { productId: sale.id }, buyer?.token));
    expect(status).to.equal("PENDING");
    const seen = await until(
      "the snapshot knows the settlement",
      () => {
        const { sales, lag } = JSON.parse(stream.last().data) as Snapshot;
        return sales.find(
          ({ id, accepted, settled }) => id === sale.id && accepted + settled === 2 && lag === 0,
        );
      },
      SEEN_DEADLINE_MS,
    );
    expect(seen).to.deep.include({ accepted: 1, settled: 1 });
    stream.leave();
    expect(stream.misfits).to.deep.equal([]);
    expect(stream.heard.length).to.be.above(1);
  });
});
