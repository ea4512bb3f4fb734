import { isUtf8 } from "node:buffer";
import type { Response } from "express";
import type { AuditEntry } from "../../shared/domain/audit.ts";
import type { DeadLetterSummary } from "../../shared/domain/dead-letter.ts";
import { amountOf } from "../../shared/domain/money.ts";
import type { OrderMessage } from "../../shared/domain/order.ts";
import type { Page } from "../../shared/domain/page.ts";
import type { OrderPosition } from "../../shared/domain/ports.ts";
import type { ControlSheet, DailySummary } from "../../shared/domain/report.ts";
import type { OrderView, Settlement, SettlementFilter } from "../../shared/domain/settlement.ts";
import type { User } from "../../shared/domain/user.ts";
import type { ConsistencyReport } from "../services/consistency-service.ts";
import type { HandledLetter, InspectedLetter } from "../services/dead-letter-service.ts";
import type { LiveSnapshot } from "../services/live-view.ts";
import type { Reconciled } from "../services/reconcile-service.ts";
import type { Sale } from "../services/product-service.ts";
import { encodeCursor } from "./schemas.ts";

/** What goes out (contract §1, §2): instants as ISO 8601 with milliseconds, money as integers. */

const instant = (epochMs: number): string => new Date(epochMs).toISOString();

/**
 * The same bytes as res.json, without its looking up settings, character sets and freshness for each answer.
 * @param body of ASCII alone, as ids, amounts and instants are: one byte a character, nothing to encode
 */
export function sendAscii(res: Response, status: number, body: object): void {
  const text = JSON.stringify(body);
  res.statusCode = status;
  res.setHeader("Content-Type", "application/json; charset=utf-8");
  res.setHeader("Content-Length", text.length);
  res.end(text, "latin1");
}

export const success = (data: unknown): object => ({ success: true, data });

export function successPage<Row, Position extends number | OrderPosition>(
  { rows, next }: Page<Row, Position>,
  present: (row: Row) => object,
): object {
  return {
    success: true,
    data: rows.map(present),
    meta: { nextCursor: next === null ? null : encodeCursor(next) },
  };
}

/** Made from the order's facts alone, in this order: the answer to a replay is the same to the byte. */
export function acceptedBody(order: OrderMessage): object {
  const { orderId, productId, quantity, unitPrice, currency, acceptedAt } = order;
  return {
    orderId,
    status: "PENDING",
    productId,
    quantity,
    unitPrice,
    amount: amountOf(unitPrice, quantity),
    currency,
    acceptedAt: instant(acceptedAt),
  };
}

export function orderBodyOf(order: OrderView): object {
  const { orderId, status, productId, quantity, unitPrice, currency, acceptedAt } = order;
  const { failReason, decidedAt, settlement } = order;
  return {
    orderId,
    status,
    productId,
    quantity,
    unitPrice,
    amount: unitPrice * quantity,
    currency,
    acceptedAt: instant(acceptedAt),
    ...(decidedAt !== undefined && { decidedAt: instant(decidedAt) }),
    ...(failReason !== undefined && { failReason }),
    ...(settlement && {
      settlement: { id: settlement.id, amount: settlement.amount, settledAt: instant(settlement.settledAt) },
    }),
  };
}

export function settlementBody(settlement: Settlement): object {
  const { id, orderId, userId, productId, type, amount, currency, settledAt } = settlement;
  return { id, orderId, userId, productId, type, amount, currency, settledAt: instant(settledAt) };
}

export function controlSheetBody(sheet: ControlSheet): object {
  const { exportId, takenAt, filter, count, firstId, lastId, totals, bytes, sha256 } = sheet;
  return {
    ...{ exportId, takenAt: instant(takenAt), filter: filterBody(filter) },
    ...{ count, firstId, lastId, totals, bytes, sha256 },
  };
}

const filterBody = ({ from, to, userId, productId }: SettlementFilter): object => ({
  from: from === undefined ? null : instant(from),
  to: to === undefined ? null : instant(to),
  userId: userId ?? null,
  productId: productId ?? null,
});

export function dailySummaryBody({ timeZone, from, to, days }: DailySummary): object {
  return {
    ...{ timeZone, from: instant(from), to: instant(to) },
    days: days.map(({ day, productId, title, currency, count, amount }) => ({
      ...{ day, productId, title, currency, count, amount },
    })),
  };
}

export function saleBody(sale: Sale): object {
  const { id, title, price, currency, stock, stockLeft, startTime, endTime, perUserLimit, state, createdAt } =
    sale;
  return {
    id,
    title,
    price,
    currency,
    stock,
    stockLeft,
    startTime: instant(startTime),
    endTime: instant(endTime),
    perUserLimit,
    state,
    createdAt: instant(createdAt),
  };
}

export function liveBody({ at, sales, lag, oldestMs, deadLetters, answers }: LiveSnapshot): object {
  return {
    at: instant(at),
    sales: sales.map((sale) => ({
      ...saleBody({ ...sale, stockLeft: sale.stockLeft ?? sale.stock - sale.sold }),
      ...{ loaded: sale.stockLeft !== null, sold: sale.sold, undecided: sale.undecided },
      // Settlements may be known half a second before the answers that they follow from.
      accepted: Math.max(sale.accepted, sale.settled),
      ...{ refused: sale.refused, settled: sale.settled },
      perSecond: sale.perSecond,
    })),
    ...{ lag, oldestMs, deadLetters, answers },
  };
}

export function consistencyBody({ checkedAt, checks, underWay }: ConsistencyReport): object {
  return {
    consistent: checks.every(({ state }) => state !== "broken"),
    checkedAt: instant(checkedAt),
    checks: checks.map(({ invariant, rule, state, offenders, rows, counted }) => ({
      ...{ invariant, rule, state, ok: state !== "broken", offenders, rows },
      ...(counted !== undefined && { counted }),
    })),
    underWay: { orders: underWay.orders, reservations: underWay.reservations },
  };
}

export function userBody({ id, username, email, role, createdAt }: User): object {
  return { id, username, email, role, createdAt: instant(createdAt) };
}

export function deadLetterBody(letter: DeadLetterSummary): object {
  const { id, topic, partition, offset, orderId, error, status, parkedAt, handledAt, size } = letter;
  return {
    ...{ id, topic, partition, offset, orderId, error, status },
    parkedAt: instant(parkedAt),
    handledAt: handledAt === null ? null : instant(handledAt),
    size,
  };
}

export function inspectedLetterBody({ letter, orderStatus, audit }: InspectedLetter): object {
  return {
    ...deadLetterBody(letter),
    key: bytesBody(letter.key),
    value: bytesBody(letter.value),
    orderStatus,
    audit: audit.map(auditBody),
  };
}

/** Text where the bytes are some, so that a person can read it; else a form from which the same bytes can be made. */
function bytesBody(bytes: Uint8Array | null): object | null {
  if (bytes === null) return null;
  const encoding = isUtf8(bytes) ? "utf8" : "base64";
  return { encoding, content: Buffer.from(bytes).toString(encoding) };
}

export function handledLetterBody(handled: HandledLetter): object {
  const { id, status, handledAt, orderId, orderStatusBefore } = handled;
  return { id, status, handledAt: instant(handledAt), orderId, orderStatusBefore };
}

export function reconciledBody({
  productId,
  state,
  ended,
  unitsGivenBack,
  before,
  after,
}: Reconciled): object {
  return { productId, state, reservationsEnded: ended, unitsGivenBack, before, after };
}

export function auditBody({
  id,
  at,
  admin,
  action,
  target,
  outcome,
  reason,
  before,
  after,
}: AuditEntry): object {
  return { id, at: instant(at), admin, action, target, outcome, reason, before, after };
}
