import type { JtlSummary } from "./jtl.ts";
import type { Ledger } from "./ledger.ts";
import { QUANTILES, type Percentiles } from "./percentiles.ts";
import { rangesOf, type Histogram } from "./prometheus.ts";
import type { ServerMetrics } from "./server-metrics.ts";

export type Observed = {
  wanted: { users: number; duration: number };
  jtl: JtlSummary;
  server: ServerMetrics;
  ledger: Ledger;
};

/** JMeter writes whole milliseconds, and so does the database. */
const ROUNDING_MS = 1;
/** Arrivals may come this much later than planned before the rate counts as missed: part of the set time. */
const LATE_PART = 0.02;
const LATE_MIN_MS = 500;

/** Answered before an order is looked at; the counter of orders knows nothing of them. */
const BEFORE_INTAKE = new Set([
  "validation_failed",
  "invalid_json",
  "unauthenticated",
  "forbidden",
  "method_not_allowed",
  "payload_too_large",
  "unsupported_media_type",
  "too_many_requests",
]);

/** Everything that keeps a run from counting as clean, one sentence each. */
export function findingsOf({ wanted, jtl, server, ledger }: Observed): string[] {
  const late = jtl.lastSentAt - jtl.firstAt - wanted.duration * 1_000;
  const lateMax = Math.max(LATE_MIN_MS, wanted.duration * 1_000 * LATE_PART);
  return [
    ...unless(jtl.offered === wanted.users, `JMeter offered ${n(jtl.offered)} of ${n(wanted.users)} orders`),
    ...unless(late <= lateMax, `the last order went out ${n(late)} ms late: the set rate was not met`),
    ...unless(jtl.errors === 0, `${n(jtl.errors)} errors`),
    ...unless(jtl.accepted === jtl.offered, `${n(jtl.offered - jtl.accepted)} orders were not accepted`),
    ...unless(ledger.failed === 0, `${n(ledger.failed)} accepted orders FAILED`),
    ...unless(
      ledger.settled === jtl.accepted,
      `${n(ledger.settled)} orders are settled, ${n(jtl.accepted)} were accepted`,
    ),
    ...unless(
      ledger.succeeded === ledger.settled,
      `${n(ledger.succeeded)} orders are SUCCESS, ${n(ledger.settled)} have a settlement`,
    ),
    ...countMismatches(jtl.outcomes, server.outcomes),
    ...unless(
      server.decision.count === ledger.succeeded,
      `the worker counted ${n(server.decision.count)} decisions, the database has ${n(ledger.succeeded)} SUCCESS`,
    ),
    ...answerContradictions(jtl.answerMs, server.answer),
    ...decisionContradictions(ledger.decisionMs, server.decision),
  ];
}

/** What JMeter read in bodies against what the API says it answered, word by word. */
function countMismatches(jmeter: ReadonlyMap<string, number>, server: ReadonlyMap<string, number>): string[] {
  const read = new Map([...jmeter].map(([word, count]) => [word === "PENDING" ? "accepted" : word, count]));
  const words = new Set([...read.keys(), ...server.keys()]);
  return [...words]
    .filter((word) => !BEFORE_INTAKE.has(word) && read.get(word) !== server.get(word))
    .map(
      (word) =>
        `mismatch: ${word}: JMeter ${n(read.get(word) ?? 0)}, flashpay_orders_total ${n(server.get(word) ?? 0)}`,
    );
}

/** An answer takes the client at least as long as the server: below the server's own figure, one of the two is wrong. */
function answerContradictions(client: Percentiles | undefined, server: Histogram): string[] {
  const ranges = rangesOf(server);
  if (!client || !ranges) return [];
  return QUANTILES.flatMap((q, index) => {
    const measured = client.at[index] ?? 0;
    const above = (ranges[index]?.above ?? 0) * 1_000;
    return unless(
      measured + ROUNDING_MS >= above,
      `mismatch: answer p${n(q * 100)}: JMeter ${n(measured)} ms, the API more than ${n(above)} ms`,
    );
  });
}

/** The worker's figure ends after the commit, the database's before it. */
function decisionContradictions(exact: Percentiles | undefined, worker: Histogram): string[] {
  const ranges = rangesOf(worker);
  if (!exact || !ranges) return [];
  return QUANTILES.flatMap((q, index) => {
    const stored = exact.at[index] ?? 0;
    const upTo = (ranges[index]?.upTo ?? Infinity) * 1_000;
    return unless(
      stored <= upTo + ROUNDING_MS,
      `mismatch: decision p${n(q * 100)}: ${n(stored)} ms in the database, the worker at most ${n(upTo)} ms`,
    );
  });
}

function unless(holds: boolean, finding: string): string[] {
  return holds ? [] : [finding];
}

function n(value: number): string {
  return String(Number(value.toFixed(1)));
}
