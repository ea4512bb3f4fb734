import {
  diag,
  DiagLogLevel,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type SpanContext,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import type { Log, Span, Tracing } from "../domain/ports.ts";

/** A collector that is away fails every few seconds; once a minute says so. */
const COMPLAINT_EVERY_MS = 60_000;

const KINDS = {
  server: SpanKind.SERVER,
  internal: SpanKind.INTERNAL,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  client: SpanKind.CLIENT,
} as const;

/**
 * Spans by OpenTelemetry's SDK, sent in the background from a bounded queue. Sampler, headers, time-outs and queue are set by
 * the SDK's own OTEL_* variables. Contexts are handed over by hand: no hooks into other packages, no AsyncLocalStorage.
 */
export function createOpenTelemetry(options: { program: string; endpoint: string; log: Log }): {
  readonly tracing: Tracing;
  /** Sends what is left. */
  shutdown(): Promise<void>;
} {
  const { program, endpoint, log } = options;
  complainTo(log);
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, "")}/v1/traces` });
  const provider = new BasicTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ "service.name": `flashpay-${program}` }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer("flashpay");
  return { tracing: { start }, shutdown: () => provider.shutdown() };

  function start(
    name: string,
    { kind, parent, links = [], attributes }: Parameters<Tracing["start"]>[1],
  ): Span {
    const context =
      parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, contextOf(parent));
    const span = tracer.startSpan(
      name,
      {
        kind: KINDS[kind],
        links: links.map((link) => ({ context: contextOf(link) })),
        ...(attributes && { attributes }),
      },
      context,
    );
    return {
      traceparent: headerOf(span.spanContext()),
      end({ name: better, attributes: more, error } = {}) {
        if (better !== undefined) span.updateName(better);
        if (more) span.setAttributes(more);
        if (error !== undefined) {
          // The kind of error alone: drivers hang statements and their values on messages.
          const type = error instanceof Error ? error.name : "error";
          span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute("error.type", type);
        }
        span.end();
      },
    };
  }
}

/** A valid header `traceparent`, taken apart by its fixed places. */
function contextOf(traceparent: string): SpanContext {
  return {
    traceId: traceparent.slice(3, 35),
    spanId: traceparent.slice(36, 52),
    traceFlags: Number.parseInt(traceparent.slice(53, 55), 16) & TraceFlags.SAMPLED,
    isRemote: true,
  };
}

function headerOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-0${traceFlags & TraceFlags.SAMPLED}`;
}

function complainTo(log: Log): void {
  let complainedAt = -Infinity;
  const complain = (message: string): void => {
    const at = performance.now();
    if (at - complainedAt < COMPLAINT_EVERY_MS) return;
    complainedAt = at;
    log.warn({ reason: message.slice(0, 500) }, "spans could not be told");
  };
  const silent = (): void => undefined;
  const logger = { error: complain, warn: complain, info: silent, debug: silent, verbose: silent };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}
