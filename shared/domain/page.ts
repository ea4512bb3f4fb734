/** Rows on one page, inclusive. */
export const PAGE_LIMIT_MAX = 100;
export const PAGE_LIMIT_DEFAULT = 20;

/** Where a page starts: just behind this row, newest first. Never an offset: rows arrive while one reads. */
export interface PageRequest<Position> {
  readonly limit: number;
  readonly after?: Position;
}

export interface Page<Row, Position> {
  readonly rows: readonly Row[];
  /** Position of the last row when there are more behind it. */
  readonly next: Position | null;
}

/** Cuts the extra row that a reader fetched (limit + 1) to learn whether there are more. */
export function toPage<Row, Position>(
  rows: readonly Row[],
  limit: number,
  positionOf: (row: Row) => Position,
): Page<Row, Position> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { rows: shown, next: rows.length > limit && last !== undefined ? positionOf(last) : null };
}
