import { execFileSync } from "node:child_process";
import { expect } from "chai";

/** Which of OpenTelemetry's packages a process has loaded; prom-client brings the bare interface, api. */
function loaded(endpoint: string): string[] {
  const script = `
    import { createRequire } from "node:module";
    import "prom-client";
    const { openTracing } = await import("./shared/telemetry/tracing.ts");
    const endpoint = ${JSON.stringify(endpoint)} || undefined;
    await openTracing({ program: "api", endpoint, log: {}, lifecycle: { onStop() {} } });
    const paths = Object.keys(createRequire(import.meta.url).cache);
    console.log(JSON.stringify(paths.map((path) => /@opentelemetry.([\\w-]+)/.exec(path)?.[1]).filter(Boolean)));
    process.exit();
  `;
  const args = ["--import", "tsx", "--input-type=module", "-e", script];
  const names = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as string[];
  return [...new Set(names)].filter((name) => name !== "api").sort();
}

describe("tracing", () => {
  it("loads nothing of OpenTelemetry's SDK unless it is asked for", () => {
    expect(loaded("")).to.deep.equal([]);
    expect(loaded("http://127.0.0.1:4318")).to.include.members(["sdk-trace", "exporter-trace-otlp-http"]);
  }).timeout(20_000);
});
