import { setTimeout as delay } from "node:timers/promises";
import type { Log, Tracing } from "../domain/ports.ts";
import type { Lifecycle } from "../lifecycle.ts";

/** A collector that is away must not use up the time that a program has to stop. */
const FLUSH_ON_STOP_MS = 2_000;

export interface TracingOptions {
  readonly program: string;
  /** OTLP over HTTP; undefined: nothing is traced, and nothing of OpenTelemetry's SDK is loaded. */
  readonly endpoint: string | undefined;
  readonly log: Log;
  readonly lifecycle: Pick<Lifecycle, "onStop">;
}

/** Open it before everything else: what ends while the program stops is told, too. */
export async function openTracing(options: TracingOptions): Promise<Tracing | undefined> {
  const { program, endpoint, log, lifecycle } = options;
  if (endpoint === undefined) return undefined;
  const { createOpenTelemetry } = await import("./open-telemetry.ts");
  const { tracing, shutdown } = createOpenTelemetry({ program, endpoint, log });
  lifecycle.onStop("tracing", async () => {
    await Promise.race([shutdown(), delay(FLUSH_ON_STOP_MS, undefined, { ref: false })]);
  });
  return tracing;
}
