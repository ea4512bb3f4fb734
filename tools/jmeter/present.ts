import type { Observed } from "./findings.ts";
import { QUANTILES, type Percentiles } from "./percentiles.ts";
import { rangesOf, type Histogram } from "./prometheus.ts";

export type RunResult = Observed & { findings: readonly string[]; verified: boolean; report: string };

const P99 = QUANTILES.indexOf(0.99);
const LABEL_CHARS = 28;
const FIGURE_CHARS = 15;

/** One run, for a person. */
export function describeRun(result: RunResult): string {
  const { jtl, ledger, server, findings, report } = result;
  const spanS = (jtl.lastSentAt - jtl.firstAt) / 1_000;
  return [
    line("offered", `${String(jtl.offered)} in ${spanS.toFixed(1)} s (${paceOf(result)} per second)`),
    line("HTTP OK", String(jtl.httpOk)),
    line("accepted (by the body)", String(jtl.accepted)),
    line("refused", String(jtl.refused)),
    line("errors", String(jtl.errors)),
    line("settled", String(ledger.settled)),
    line("drained after the last 202", `${drainOf(result)} ms`),
    "",
    line("milliseconds", [...QUANTILES.map((q) => `p${String(q * 100)}`), "max"].map(cell).join("")),
    line("answer, JMeter", figures(jtl.answerMs)),
    line("answer, JMeter after 5 s", figures(jtl.warmAnswerMs)),
    line("answer, API's own", bounds(server.answer)),
    line("202 to SUCCESS, exact", figures(ledger.decisionMs)),
    line("202 to SUCCESS, worker's own", bounds(server.decision)),
    "",
    ...jtl.complaints.map((complaint) => `  ${complaint}`),
    ...findings.map((finding) => `  NOT CLEAN: ${finding}`),
    line("report", report),
  ].join("\n");
}

/** All runs side by side. */
export function tableOf(results: readonly RunResult[]): string {
  const header = [
    "run",
    "offered",
    "per s",
    "HTTP OK",
    "accepted",
    "refused",
    "errors",
    "settled",
    "drain ms",
  ];
  const times = ["answer p50", "answer p99", "answer max", "SUCCESS p99", "SUCCESS max", "verify", "clean"];
  const rows = results.map((result, index) => {
    const { jtl, ledger } = result;
    return [
      ...[index + 1, jtl.offered, paceOf(result), jtl.httpOk, jtl.accepted, jtl.refused, jtl.errors],
      ...[ledger.settled, drainOf(result)],
      ...[ms(jtl.answerMs?.at[0]), ms(jtl.answerMs?.at[P99]), ms(jtl.answerMs?.max)],
      ...[ms(ledger.decisionMs?.at[P99]), ms(ledger.decisionMs?.max)],
      ...[result.verified ? "ok" : "BROKEN", isClean(result) ? "yes" : "NO"],
    ].map(String);
  });
  const all = [[...header, ...times], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  return all
    .map((row) => row.map((text, column) => text.padStart(widths[column] ?? 0)).join("  "))
    .join("\n");
}

export function isClean({ findings, verified }: RunResult): boolean {
  return findings.length === 0 && verified;
}

/** Arrivals per second between the first order and the last. */
function paceOf({ jtl }: RunResult): string {
  const spanMs = jtl.lastSentAt - jtl.firstAt;
  return spanMs > 0 ? ((jtl.offered / spanMs) * 1_000).toFixed(1) : "-";
}

function drainOf({ jtl, ledger }: RunResult): string {
  return ledger.lastDecidedAt === undefined
    ? "-"
    : String(Math.max(0, ledger.lastDecidedAt - jtl.lastAcceptedAt));
}

function figures(percentiles: Percentiles | undefined): string {
  if (!percentiles) return "-";
  return [...percentiles.at, percentiles.max].map((value) => cell(ms(value))).join("");
}

/** A histogram knows in which of its buckets a quantile lies, and no maximum. */
function bounds(histogram: Histogram): string {
  const ranges = rangesOf(histogram);
  if (!ranges) return "-";
  return ranges.map(({ above, upTo }) => cell(`${ms(above * 1_000)}–${ms(upTo * 1_000)}`)).join("");
}

function ms(value: number | undefined): string {
  if (value === undefined) return "-";
  return Number.isFinite(value) ? String(Number(value.toFixed(1))) : "∞";
}

function line(label: string, text: string): string {
  return `  ${label.padEnd(LABEL_CHARS)} ${text}`;
}

function cell(text: string): string {
  return text.padStart(FIGURE_CHARS);
}
