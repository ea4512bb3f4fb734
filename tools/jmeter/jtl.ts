import { percentilesOf, type Percentiles } from "./percentiles.ts";

/** The plan's sampler. */
const ORDER = "order";
/** The word that the plan's extractor found in the body of an accepted order (jmeter/flash-sale.jmx). */
const ACCEPTED = "PENDING";
const COMPLAINTS_SHOWN_MAX = 5;
/** Until then JMeter compiles itself and opens its connections, and its clock runs with it. */
const COLD_MS = 5_000;

export type JtlSummary = {
  offered: number;
  httpOk: number;
  /** The body said so, and every assertion on it held. */
  accepted: number;
  /** Answered with a refusal that the contract knows: nothing was taken, nothing is broken. */
  refused: number;
  /** Everything else: no answer, an answer that makes no sense, a 5xx. */
  errors: number;
  /** Orders by what the body said: PENDING, the code of a problem, or none. */
  outcomes: ReadonlyMap<string, number>;
  /** Milliseconds from the request to the whole answer, of accepted orders, by JMeter's clock. */
  answerMs: Percentiles | undefined;
  /** The same of those sent when JMeter was warm. */
  warmAnswerMs: Percentiles | undefined;
  /** Epoch milliseconds. */
  firstAt: number;
  lastSentAt: number;
  lastAcceptedAt: number;
  complaints: readonly string[];
};

const REFUSALS = new Set(["sold_out", "sale_not_open", "sale_closed", "limit_exceeded", "order_in_progress"]);

/**
 * Sums up what JMeter wrote down about each order. A sample counts as accepted only by its body; a 2xx with another body is
 * an error.
 * @throws Error when the file is not what the plan writes: a figure made of nothing would look like a measurement
 */
export function summarize(jtl: string): JtlSummary {
  const orders = samplesOf(jtl).filter(({ label }) => label === ORDER);
  const accepted = orders.filter(isAccepted);
  const failures = orders.filter((order) => !isAccepted(order));
  const refused = failures.filter(({ outcome }) => REFUSALS.has(outcome));
  const errors = failures.filter(({ outcome }) => !REFUSALS.has(outcome));
  const firstAt = orders.reduce((first, { sentAt }) => Math.min(first, sentAt), Infinity);
  const warm = accepted.filter(({ sentAt }) => sentAt >= firstAt + COLD_MS);
  return {
    offered: orders.length,
    httpOk: orders.filter(({ responseCode }) => /^2\d\d$/.test(responseCode)).length,
    accepted: accepted.length,
    refused: refused.length,
    errors: errors.length,
    outcomes: countBy(orders, ({ outcome }) => outcome),
    answerMs: percentilesOf(accepted.map(({ elapsedMs }) => elapsedMs)),
    warmAnswerMs: percentilesOf(warm.map(({ elapsedMs }) => elapsedMs)),
    firstAt,
    lastSentAt: orders.reduce((last, { sentAt }) => Math.max(last, sentAt), -Infinity),
    lastAcceptedAt: accepted.reduce(
      (last, { sentAt, elapsedMs }) => Math.max(last, sentAt + elapsedMs),
      -Infinity,
    ),
    complaints: mostFrequent(failures),
  };
}

export type Sample = {
  label: string;
  sentAt: number;
  elapsedMs: number;
  responseCode: string;
  success: boolean;
  outcome: string;
  complaint: string;
};

function isAccepted({ success, outcome }: Sample): boolean {
  return success && outcome === ACCEPTED;
}

function samplesOf(jtl: string): Sample[] {
  const [header, ...rows] = parseCsv(jtl);
  if (!header) throw new Error("JMeter's results are empty.");
  const column = (name: string): number => {
    const index = header.indexOf(name);
    if (index < 0) throw new Error(`JMeter's results have no column "${name}".`);
    return index;
  };
  const [label, sent, elapsed] = [column("label"), column("timeStamp"), column("elapsed")];
  const [code, message, success] = [column("responseCode"), column("responseMessage"), column("success")];
  const [outcome, failure] = [column("outcome"), column("failureMessage")];
  return rows.map((row, number): Sample => {
    // A JMeter that was killed leaves half a line.
    if (row.length !== header.length)
      throw new Error(`Line ${String(number + 2)} of JMeter's results is torn.`);
    const field = (index: number): string => row[index] ?? "";
    const text = field(failure) === "" ? field(message) : field(failure);
    return {
      label: field(label),
      sentAt: Number(field(sent)),
      elapsedMs: Number(field(elapsed)),
      responseCode: field(code),
      success: field(success) === "true",
      outcome: field(outcome),
      complaint: `${field(code)} ${field(outcome)}: ${text.replaceAll(/\s+/g, " ")}`,
    };
  });
}

/** RFC 4180: messages of failures hold commas, quotes and line breaks. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  // A field in quotes, or one without; then what ends it.
  const token = /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/gy;
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (!match) throw new Error("JMeter's results are no CSV.");
    const [, quoted, plain = "", end] = match;
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    rows.push(row);
    row = [];
  }
  if (row.length > 0) rows.push(row);
  return rows;
}

export function countBy<T>(items: readonly T[], word: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(word(item), (counts.get(word(item)) ?? 0) + 1);
  return counts;
}

function mostFrequent(failures: readonly Sample[]): string[] {
  return [...countBy(failures, ({ complaint }) => complaint)]
    .sort(([, a], [, b]) => b - a)
    .slice(0, COMPLAINTS_SHOWN_MAX)
    .map(([complaint, times]) => `${String(times)} × ${complaint.slice(0, 300)}`);
}
