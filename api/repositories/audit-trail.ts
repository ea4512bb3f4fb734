import { QueryTypes, type Sequelize, type Transaction } from "sequelize";
import type { AuditEntry, AuditOutcome, AuditState } from "../../shared/domain/audit.ts";
import { toPage } from "../../shared/domain/page.ts";
import type { AuditTrail } from "../../shared/domain/ports.ts";
import { notReadyOnOutage } from "../../shared/mysql/errors.ts";
import { fromSqlInstant, toSqlInstant } from "../../shared/mysql/instant.ts";

/** @param transaction of the act itself, so that neither is stored without the other; null: the note stands alone. */
export function createAuditTrail(
  sequelize: Sequelize,
  now: () => number,
  transaction: Transaction | null = null,
): AuditTrail {
  return {
    async record({ adminId, action, target, outcome, reason, before, after }) {
      await sequelize
        .query(
          `INSERT INTO admin_audit (acted_at, admin_id, action, target, outcome, reason, before_state, after_state)
           VALUES (:at, :adminId, :action, :target, :outcome, :reason, :before, :after)`,
          {
            replacements: {
              ...{ adminId, action, target, outcome, reason: reason ?? null, at: toSqlInstant(now()) },
              ...{ before: JSON.stringify(before), after: JSON.stringify(after) },
            },
            transaction,
            type: QueryTypes.RAW,
          },
        )
        .catch(notReadyOnOutage);
    },

    async list({ target }, { limit, after }) {
      const conditions = [
        ...(target === undefined ? [] : ["a.target = :target"]),
        ...(after === undefined ? [] : ["a.id < :after"]),
      ];
      const where = conditions.length > 0 ? `WHERE ${conditions.join(" AND ")}` : "";
      const rows = await sequelize
        .query<AuditRow>(
          `SELECT a.*, u.username FROM admin_audit a JOIN users u ON u.id = a.admin_id ${where}
           ORDER BY a.id DESC LIMIT :rows`,
          { replacements: { target, after, rows: limit + 1 }, transaction, type: QueryTypes.SELECT },
        )
        .catch(notReadyOnOutage);
      return toPage(rows.map(toEntry), limit, ({ id }) => id);
    },
  };
}

interface AuditRow {
  readonly id: number;
  readonly acted_at: Date;
  readonly admin_id: number;
  readonly username: string;
  readonly action: string;
  readonly target: string;
  readonly outcome: AuditOutcome;
  readonly reason: string | null;
  readonly before_state: string | null;
  readonly after_state: string | null;
}

function toEntry(row: AuditRow): AuditEntry {
  return {
    id: row.id,
    at: fromSqlInstant(row.acted_at),
    admin: { id: row.admin_id, username: row.username },
    action: row.action,
    target: row.target,
    outcome: row.outcome,
    reason: row.reason,
    before: toState(row.before_state),
    after: toState(row.after_state),
  };
}

const toState = (text: string | null): AuditState => JSON.parse(text ?? "{}") as AuditState;
