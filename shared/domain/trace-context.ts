import type { SpanOptions, Tracing } from "./ports.ts";

/** W3C Trace Context: version-traceid-parentid-flags; all zeros is no trace. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

/** The trace that a header `traceparent` tells; undefined when it is none. */
export const traceIdIn = (traceparent: string): string | undefined => TRACEPARENT.exec(traceparent)?.[1];

/** Runs `work` as a span, told the context it runs in; where tracing is off just runs it, in its parent's. */
export function traced<T>(
  tracing: Tracing | undefined,
  name: string,
  options: SpanOptions,
  work: (traceparent: string | undefined) => Promise<T>,
): Promise<T> {
  return tracing ? tracedIn(tracing, name, options, work) : work(options.parent);
}

async function tracedIn<T>(
  tracing: Tracing,
  name: string,
  options: SpanOptions,
  work: (traceparent: string | undefined) => Promise<T>,
): Promise<T> {
  const span = tracing.start(name, options);
  try {
    const result = await work(span.traceparent);
    span.end();
    return result;
  } catch (error) {
    span.end({ error });
    throw error;
  }
}
