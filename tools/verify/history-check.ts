import { once } from "node:events";
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { QueryTypes, type Sequelize } from "sequelize";
import { ROWS_SHOWN_MAX, type CheckOptions, type CheckResult } from "../../shared/domain/consistency.ts";
import { contradictions, placeOf, type Call, type Contradiction, type OrderRow } from "./client-history.ts";
import { CannotVerify } from "./options.ts";

/** Each is read whole, one after another: 3 million calls are some 50 000 a part. */
const PARTS = 64;
const ROWS_PER_READ = 20_000;
const BYTES_PER_WRITE = 64 * 1_024;
const FIRST_ID = "";

export interface HistoryCheck {
  readonly sequelize: Sequelize;
  readonly file: string;
  readonly options: CheckOptions;
  /** 0 to 1. */
  readonly onProgress: (done: number) => void;
}

/**
 * Sets every call of the file against the orders of its products (I1, I8). Both are divided by user and product into
 * parts on disk, and part meets part: exact, in bounded memory, with one pass over the file and one over the table.
 */
export async function checkHistory(check: HistoryCheck): Promise<CheckResult[]> {
  const startedAt = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "flashpay-history-"));
  try {
    const calls = createParts(folder, "calls");
    const products = await divideCalls(check, calls);
    const rows = createParts(folder, "rows");
    await divideRows(check, products, rows);
    const found = meet(calls, rows, check);
    const ms = Math.round(performance.now() - startedAt);
    return [
      result("I1", "every order that heard 202 is there, once, and SUCCESS", found.I1, calls.written(), ms),
      result("I8", "no order that nobody asked for; no refusal that succeeded", found.I8, rows.written(), ms),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function divideCalls(
  { file, options, onProgress }: HistoryCheck,
  parts: Parts,
): Promise<ReadonlySet<number>> {
  const products = new Set<number>();
  const bytes = sizeOf(file);
  const input = createReadStream(file);
  let line = 0;
  for await (const text of createInterface({ input })) {
    line += 1;
    if (text === "") continue;
    const { kind, userId, productId, code, orderId, key } = parseCall(file, line, text);
    if (options.productId !== undefined && productId !== options.productId) continue;
    products.add(productId);
    if (parts.add(placeOf(userId, productId), { kind, userId, productId, code, orderId, key }))
      await parts.drained();
    if (line % 10_000 === 0) onProgress((input.bytesRead / Math.max(1, bytes)) * 0.4);
  }
  await parts.end();
  return products;
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    throw new CannotVerify(`--history: ${file} cannot be read.`);
  }
}

function parseCall(file: string, line: number, text: string): Call {
  try {
    const call = JSON.parse(text) as Call;
    const ids = Number.isSafeInteger(call.userId) && Number.isSafeInteger(call.productId);
    const promised = call.kind !== "ok" || typeof call.orderId === "string";
    if (ids && promised && ["ok", "fail", "info"].includes(call.kind)) return call;
  } catch {
    // As unreadable as a call without its fields.
  }
  throw new CannotVerify(`--history: line ${String(line)} of ${file} is not a call.`);
}

/** Orders of the history's products; what else was ever sold is not its business. */
async function divideRows(
  { sequelize, onProgress }: HistoryCheck,
  products: ReadonlySet<number>,
  parts: Parts,
): Promise<void> {
  const [total] = await sequelize.query<{ orders: number }>("SELECT COUNT(*) AS orders FROM orders", {
    type: QueryTypes.SELECT,
  });
  let seen = 0;
  for (let after = FIRST_ID; ;) {
    const rows = await sequelize.query<OrderRow>(
      `SELECT id, user_id, product_id, status FROM orders WHERE id > :after ORDER BY id LIMIT ${String(ROWS_PER_READ)}`,
      { replacements: { after }, type: QueryTypes.SELECT },
    );
    for (const row of rows)
      if (products.has(row.product_id)) parts.add(placeOf(row.user_id, row.product_id), row);
    await parts.drained();
    seen += rows.length;
    onProgress(0.4 + (seen / Math.max(1, total?.orders ?? 1)) * 0.4);
    const last = rows.at(-1);
    if (!last || rows.length < ROWS_PER_READ) break;
    after = last.id;
  }
  await parts.end();
}

interface Found {
  readonly rows: Contradiction[];
  offenders: number;
}

function meet(calls: Parts, rows: Parts, { options, onProgress }: HistoryCheck) {
  const found = { I1: { rows: [], offenders: 0 }, I8: { rows: [], offenders: 0 } } as Record<
    Contradiction["invariant"],
    Found
  >;
  for (let part = 0; part < PARTS; part += 1) {
    for (const one of contradictions(
      calls.read<Call>(part),
      rows.read<OrderRow>(part),
      options.allowFailed,
    )) {
      const { rows: shown } = found[one.invariant];
      found[one.invariant].offenders += 1;
      if (shown.length < ROWS_SHOWN_MAX) shown.push(one);
    }
    onProgress(0.8 + ((part + 1) / PARTS) * 0.2);
  }
  return found;
}

function result(
  invariant: string,
  rule: string,
  { rows, offenders }: Found,
  checked: number,
  ms: number,
): CheckResult {
  return { invariant, rule, state: offenders > 0 ? "broken" : "ok", rows, offenders, checked, ms };
}

type Parts = ReturnType<typeof createParts>;

/** Lines of JSON in PARTS files; what belongs together is in the same one. */
function createParts(folder: string, name: string) {
  const paths = Array.from({ length: PARTS }, (_, part) => join(folder, `${name}-${String(part)}`));
  const streams = paths.map((path) => createWriteStream(path));
  const waiting = paths.map(() => "");
  let count = 0;
  return { add, drained, end, read, written: () => count };

  /** @returns whether the disk is behind: wait for `drained` */
  function add(place: string, line: object): boolean {
    const part = partOf(place);
    count += 1;
    const text = `${waiting[part] ?? ""}${JSON.stringify(line)}\n`;
    waiting[part] = text;
    return text.length >= BYTES_PER_WRITE && !flush(part);
  }
  function flush(part: number): boolean {
    const text = waiting[part] ?? "";
    waiting[part] = "";
    return text === "" || streams[part]?.write(text) !== false;
  }
  async function drained(): Promise<void> {
    await Promise.all(
      streams.filter(({ writableNeedDrain }) => writableNeedDrain).map((stream) => once(stream, "drain")),
    );
  }
  async function end(): Promise<void> {
    paths.forEach((_, part) => flush(part));
    await Promise.all(
      streams.map(async (stream) => {
        stream.end();
        await once(stream, "close");
      }),
    );
  }
  function read<Line>(part: number): Line[] {
    const text = readFileSync(paths[part] ?? "", "utf8");
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Line);
  }
}

function partOf(place: string): number {
  let sum = 0;
  for (let i = 0; i < place.length; i += 1) sum = (Math.imul(sum, 31) + place.charCodeAt(i)) >>> 0;
  return sum % PARTS;
}
