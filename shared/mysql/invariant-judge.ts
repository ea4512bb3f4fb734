import { ROWS_SHOWN_MAX, type CheckOptions, type Finding } from "../domain/consistency.ts";
import { KEPT, type CountedTable, type Scan, type Side, type SqlInvariant } from "./invariants.ts";

/** Differing buckets that are asked for by number; beyond them everything is compared. */
const BUCKETS_ASKED_MAX = 256;
/** What the worker writes beside a copy of an order with other facts. */
const CONFLICT = "this order id came before with other facts";

export type Select = <Row extends object>(sql: string) => Promise<Row[]>;
type SumRow = Readonly<Record<string, string | number>>;

/** Judges rules in the snapshot that `select` reads; each table is passed over once, for whoever needs it first. */
export function createJudge(select: Select, options: CheckOptions) {
  const { productId } = options;
  const scans = new Map<Scan, readonly SumRow[]>();
  const counts = new Map<CountedTable, number>();
  return { judge, onePayload, letters };

  async function judge(one: SqlInvariant): Promise<Finding> {
    const { invariant, rule, table } = one;
    const finding = { invariant, rule, ...(await broken(one)), checked: await rowsOf(table) };
    if (one !== KEPT) return finding;
    const counted = finding.offenders;
    return options.allowFailed === true
      ? { ...finding, state: "ok", rows: [], offenders: 0, counted }
      : { ...finding, counted };
  }

  async function broken({
    sums,
    offenders,
  }: SqlInvariant): Promise<Pick<Finding, "state" | "rows" | "offenders">> {
    if (productId !== undefined || !sums)
      return await listed(offenders(productId === undefined ? {} : { productId }));
    const buckets = await differing(sums);
    if (buckets.length === 0) return { state: "ok", rows: [], offenders: 0 };
    const all = sums[0].overall === true || buckets.length > BUCKETS_ASKED_MAX;
    return await listed(offenders(all ? {} : { buckets }));
  }

  async function listed(sql: string): Promise<Pick<Finding, "state" | "rows" | "offenders">> {
    const found = await select<{ offenders: number }>(
      `SELECT broken.*, COUNT(*) OVER () AS offenders FROM (${sql}) broken LIMIT ${ROWS_SHOWN_MAX}`,
    );
    const rows = found.map(({ offenders: _offenders, ...row }) => row);
    return { state: rows.length > 0 ? "broken" : "ok", rows, offenders: found[0]?.offenders ?? 0 };
  }

  /** Buckets in which the two sides do not agree. */
  async function differing([left, right]: readonly [Side, Side?]): Promise<number[]> {
    const a = await sumsOf(left);
    const b = right ? await sumsOf(right) : new Map<number, string>();
    return [...new Set([...a.keys(), ...b.keys()])].filter((bucket) => a.get(bucket) !== b.get(bucket));
  }

  /** A bucket whose sums are 0 is left out: so is one without rows. */
  async function sumsOf({ scan, columns, overall }: Side): Promise<ReadonlyMap<number, string>> {
    const sums = new Map<number, bigint[]>();
    for (const row of await pass(scan)) {
      const bucket = overall ? 0 : Number(row["bucket"]);
      const sum = sums.get(bucket);
      sums.set(
        bucket,
        columns.map((column, i) => (sum?.[i] ?? 0n) + BigInt(row[column] ?? 0)),
      );
    }
    return new Map(
      [...sums].filter(([, sum]) => sum.some(Boolean)).map(([bucket, sum]) => [bucket, sum.join(" ")]),
    );
  }

  async function pass(scan: Scan): Promise<readonly SumRow[]> {
    const known = scans.get(scan);
    if (known) return known;
    const rows = await select<SumRow>(scan.sql);
    scans.set(scan, rows);
    const entries = rows.reduce((sum, row) => sum + Number(row["entries"] ?? 0), 0);
    if (!counts.has(scan.table)) counts.set(scan.table, entries);
    options.onPass?.(scan.table);
    return rows;
  }

  /** Of the product, when there is one. */
  async function rowsOf(table: CountedTable): Promise<number> {
    const known = counts.get(table);
    if (known !== undefined) return known;
    const [row] = await select<{ entries: number }>(
      `SELECT COUNT(*) AS entries FROM ${productId === undefined ? table : ofProduct(table, productId)}`,
    );
    const count = row?.entries ?? 0;
    counts.set(table, count);
    return count;
  }

  /** The database holds one payload an id by its primary key: what came with another was parked, and is told. */
  async function onePayload(): Promise<Finding> {
    const counted = await lettersWhere(`error = '${CONFLICT}'`);
    const rule = "one order id, one payload: copies with other facts changed nothing and were parked";
    const checked = await rowsOf("dead_letters");
    return { invariant: "I10", rule, state: "ok", rows: [], offenders: 0, checked, counted };
  }

  async function letters(): Promise<Finding> {
    const counted = await lettersWhere("TRUE");
    const expected = options.deadLetters;
    const wrong = expected !== undefined && counted !== expected;
    const rule = "dead letters = bad messages that were sent";
    const rows = wrong ? [{ parked: counted, expected }] : [];
    return {
      ...{ invariant: "I11", rule, state: wrong ? "broken" : "ok", rows },
      ...{ offenders: rows.length, checked: await rowsOf("dead_letters"), counted },
    };
  }

  async function lettersWhere(condition: string): Promise<number> {
    const [row] = await select<{ letters: number }>(
      `SELECT COUNT(*) AS letters FROM dead_letters WHERE ${condition}`,
    );
    return row?.letters ?? 0;
  }
}

/** What of a table belongs to a product; a letter belongs to none. */
function ofProduct(table: CountedTable, productId: number): string {
  switch (table) {
    case "products":
      return `products WHERE id = ${productId}`;
    case "orders":
    case "settlements":
      return `${table} WHERE product_id = ${productId}`;
    case "order_history":
      return `order_history h JOIN orders o ON o.id = h.order_id WHERE o.product_id = ${productId}`;
    case "settlement_totals":
      return `settlement_totals WHERE scope = 'product' AND scope_id = ${productId}`;
    case "dead_letters":
      return table;
  }
}
