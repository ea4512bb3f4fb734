import { QueryTypes, type Sequelize, type Transaction } from "sequelize";
import type {
  DeadLetterStatus,
  DeadLetterSummary,
  StoredDeadLetter,
} from "../../shared/domain/dead-letter.ts";
import { toPage } from "../../shared/domain/page.ts";
import type { DeadLetterStore, DeadLetterWriter } from "../../shared/domain/ports.ts";
import { notReadyOnOutage } from "../../shared/mysql/errors.ts";
import { fromSqlInstant, toSqlInstant } from "../../shared/mysql/instant.ts";
import { createAuditTrail } from "./audit-trail.ts";

/** A list of letters must not carry their bytes: a value may have a megabyte. */
const SUMMARY = `id, topic, partition_no, offset_no, order_id, error, status, parked_at, handled_at,
  COALESCE(OCTET_LENGTH(message_value), 0) AS size`;
const WHOLE = `${SUMMARY}, message_key, message_value`;

export function createDeadLetterStore(sequelize: Sequelize, now: () => number): DeadLetterStore {
  return {
    async list({ status, orderId, partition }, { limit, after }) {
      const conditions = [
        ...(status === undefined ? [] : ["status = :status"]),
        ...(orderId === undefined ? [] : ["order_id = :orderId"]),
        ...(partition === undefined ? [] : ["partition_no = :partition"]),
        ...(after === undefined ? [] : ["id < :after"]),
      ];
      const where = conditions.length > 0 ? `WHERE ${conditions.join(" AND ")}` : "";
      const rows = await sequelize
        .query<SummaryRow>(`SELECT ${SUMMARY} FROM dead_letters ${where} ORDER BY id DESC LIMIT :rows`, {
          replacements: { status, orderId, partition, after, rows: limit + 1 },
          type: QueryTypes.SELECT,
        })
        .catch(notReadyOnOutage);
      return toPage(rows.map(toSummary), limit, ({ id }) => id);
    },

    async find(id) {
      const [row] = await sequelize
        .query<WholeRow>(`SELECT ${WHOLE} FROM dead_letters WHERE id = :id`, {
          replacements: { id },
          type: QueryTypes.SELECT,
        })
        .catch(notReadyOnOutage);
      return row ? toLetter(row) : null;
    },

    transaction: (work) =>
      sequelize.transaction((tx) => work(createWriter(sequelize, tx, now))).catch(notReadyOnOutage),
  };
}

function createWriter(sequelize: Sequelize, transaction: Transaction, now: () => number): DeadLetterWriter {
  return {
    async lock(id) {
      const [row] = await sequelize.query<WholeRow>(
        `SELECT ${WHOLE} FROM dead_letters WHERE id = :id FOR UPDATE`,
        { replacements: { id }, transaction, type: QueryTypes.SELECT },
      );
      return row ? toLetter(row) : null;
    },

    async orderStatus(orderId) {
      const [row] = await sequelize.query<{ status: "SUCCESS" | "FAILED" }>(
        "SELECT status FROM orders WHERE id = :orderId",
        { replacements: { orderId }, transaction, type: QueryTypes.SELECT },
      );
      return row?.status ?? null;
    },

    async handle(id, as, handledAt) {
      const [, changed] = await sequelize.query(
        "UPDATE dead_letters SET status = :as, handled_at = :at WHERE id = :id AND status = 'parked'",
        { replacements: { id, as, at: toSqlInstant(handledAt) }, transaction, type: QueryTypes.UPDATE },
      );
      if (changed !== 1) throw new Error(`Dead letter ${id} is not parked under its own lock.`);
    },

    record: createAuditTrail(sequelize, now, transaction).record,
  };
}

interface SummaryRow {
  readonly id: number;
  readonly topic: string;
  readonly partition_no: number;
  readonly offset_no: number;
  readonly order_id: string | null;
  readonly error: string;
  readonly status: DeadLetterStatus;
  readonly parked_at: Date;
  readonly handled_at: Date | null;
  readonly size: number;
}
interface WholeRow extends SummaryRow {
  readonly message_key: Buffer | null;
  readonly message_value: Buffer | null;
}

function toSummary(row: SummaryRow): DeadLetterSummary {
  return {
    id: row.id,
    topic: row.topic,
    partition: row.partition_no,
    offset: row.offset_no,
    orderId: row.order_id,
    error: row.error,
    status: row.status,
    parkedAt: fromSqlInstant(row.parked_at),
    handledAt: row.handled_at && fromSqlInstant(row.handled_at),
    size: row.size,
  };
}

function toLetter(row: WholeRow): StoredDeadLetter {
  return { ...toSummary(row), key: row.message_key, value: row.message_value };
}
