import type { CheckResult } from "../../shared/domain/consistency.ts";

const WORD = { ok: "ok       ", broken: "BROKEN   ", unsettled: "unsettled" } as const;

/** One document for programs. */
export function toJson(findings: readonly CheckResult[]): string {
  return JSON.stringify({ ok: findings.every(({ state }) => state !== "broken"), findings }, null, 2);
}

/** Lines for a person. */
export function toText(findings: readonly CheckResult[]): string {
  const lines = findings.flatMap(({ invariant, rule, state, rows, offenders, checked, counted, ms }) => [
    `${WORD[state]} ${invariant.padEnd(4)} ${rule} (${String(checked)} rows, ${String(ms)} ms${counted === undefined ? "" : `, counted: ${String(counted)}`})`,
    ...rows.map((row) => `              ${JSON.stringify(row)}`),
    ...(offenders > rows.length ? [`              … ${String(offenders)} in all`] : []),
  ]);
  return [...lines, summary(findings)].join("\n");
}

function summary(findings: readonly CheckResult[]): string {
  const those = (wanted: CheckResult["state"]) => findings.filter(({ state }) => state === wanted).length;
  const all = String(findings.length);
  if (those("broken") > 0) return `verify: ${String(those("broken"))} of ${all} checks are broken`;
  if (those("unsettled") === 0) return `verify: all ${all} checks hold`;
  return `verify: no check is broken; ${String(those("unsettled"))} of ${all} wait for orders that are under way`;
}
