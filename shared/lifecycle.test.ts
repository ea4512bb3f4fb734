import { expect } from "chai";
import { createLifecycle } from "./lifecycle.ts";
import { createLogRecorder } from "./testing/log.ts";

describe("stopping", () => {
  it("releases what was opened last first, one after the other", async () => {
    const lifecycle = createLifecycle(createLogRecorder());
    const steps: string[] = [];
    for (const name of ["mysql", "redis", "http"]) {
      lifecycle.onStop(name, async () => {
        steps.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        steps.push(`${name} ends`);
      });
    }
    await lifecycle.stop("SIGTERM");
    expect(steps).to.deep.equal([
      "http begins",
      "http ends",
      "redis begins",
      "redis ends",
      "mysql begins",
      "mysql ends",
    ]);
  });

  it("happens once, however often it is asked for", async () => {
    const lifecycle = createLifecycle(createLogRecorder());
    let releases = 0;
    lifecycle.onStop("redis", async () => (releases += 1));
    await Promise.all([lifecycle.stop("SIGTERM"), lifecycle.stop("SIGINT")]);
    await lifecycle.stop("again");
    expect(releases).to.equal(1);
  });

  it("releases the others although one cannot be, and says which", async () => {
    const log = createLogRecorder();
    const lifecycle = createLifecycle(log);
    const released: string[] = [];
    lifecycle.onStop("mysql", async () => released.push("mysql"));
    lifecycle.onStop("redis", () => Promise.reject(new Error("stuck")));
    lifecycle.onStop("http", async () => released.push("http"));
    const error: unknown = await lifecycle.stop("SIGTERM").catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(AggregateError);
    expect(released).to.deep.equal(["http", "mysql"]);
    expect(log.of("warn")[0]?.fields["name"]).to.equal("redis");
  });
});
