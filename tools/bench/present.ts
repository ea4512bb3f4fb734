import type { Figures } from "./figures.ts";
import { OURS, type CaseResult, type Results } from "./results.ts";

const NAME_CHARS = 26;
const CELL_CHARS = 13;
const DIGITS = 4;

/** A case as a table: a line for each figure, a column for each target, then FlashPay's shares. */
export function tableOf({ name, title, targets, shares }: CaseResult, earlier?: CaseResult): string {
  const yardsticks = Object.keys(shares);
  const before = earlier?.targets.find(({ target }) => target === OURS)?.median;
  const head = [
    ...targets.map(({ target }) => target),
    ...yardsticks.map((yardstick) => `/ ${yardstick}`),
    ...(before ? ["earlier", "now / then"] : []),
  ];
  const ours = targets.find(({ target }) => target === OURS)?.median;
  const lines = figureNames(targets.map(({ median }) => median)).map((figure) => [
    ...targets.map(({ median }) => cell(median[figure])),
    ...yardsticks.map((yardstick) => cell(shares[yardstick]?.[figure])),
    ...(before ? comparison(ours?.[figure], before[figure]) : []),
  ]);
  return [
    `${name}: ${title}; medians of ${targets.map(({ rounds }) => rounds.length).join(", ")} rounds`,
    row("", head),
    ...figureNames(targets.map(({ median }) => median)).map((figure, i) => row(figure, lines[i] ?? [])),
  ].join("\n");
}

/** All cases, with the machine above; beside an earlier run's when one is given. */
export function textOf({ machine, cases }: Results, earlier?: Results): string {
  const { cpu, cores, memoryGib, kernel, node, servers, commit } = machine;
  const about = `${cpu}, ${cores} cores, ${memoryGib} GiB, ${kernel}, Node.js ${node}, ${servers.join(", ")}, commit ${commit}`;
  const then = earlier
    ? [`Earlier: ${earlier.at}, commit ${earlier.machine.commit}, ${earlier.machine.cpu}`]
    : [];
  const tables = cases.map((result) =>
    tableOf(
      result,
      earlier?.cases.find(({ name }) => name === result.name),
    ),
  );
  return [about, ...then, ...tables.flatMap((table) => ["", table])].join("\n");
}

/** Three to four digits that mean something; a round cannot tell more. */
export function cell(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "-";
  if (Math.abs(value) >= 10 ** (DIGITS - 1)) return String(Math.round(value));
  return String(Number(value.toPrecision(DIGITS - 1)));
}

function comparison(now: number | undefined, then: number | undefined): string[] {
  const ratio = now === undefined || then === undefined || then === 0 ? undefined : now / then;
  return [cell(then), cell(ratio)];
}

/** In the order in which they first appear. */
function figureNames(all: readonly Figures[]): string[] {
  return [...new Set(all.flatMap((figures) => Object.keys(figures)))];
}

function row(name: string, cells: readonly string[]): string {
  return `  ${name.padEnd(NAME_CHARS)}${cells.map((text) => text.padStart(CELL_CHARS)).join("")}`;
}
