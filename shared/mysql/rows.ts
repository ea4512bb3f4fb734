import type { Sequelize } from "sequelize";

type Value = string | number | null | Buffer;

/** Nothing in it that SQL could take for anything but text. */
const PLAIN = /^[\w :.-]*$/;

/**
 * `(1, 'a'), (2, 'b')`, to stand behind VALUES. Ids, instants, words and numbers, which most values are, need no escaping;
 * Sequelize's, which looks at each value's type, rank and every character, does the others.
 */
export function valuesOf(sequelize: Sequelize, rows: readonly (readonly Value[])[]): string {
  const literal = (value: Value): string => {
    if (typeof value === "number" && Number.isFinite(value)) return String(value);
    if (typeof value === "string" && PLAIN.test(value)) return `'${value}'`;
    return value === null ? "NULL" : sequelize.escape(value as string);
  };
  return rows.map((row) => `(${row.map(literal).join(", ")})`).join(", ");
}
