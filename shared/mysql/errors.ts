import {
  ConnectionError,
  DatabaseError,
  ForeignKeyConstraintError,
  TimeoutError,
  UniqueConstraintError,
} from "sequelize";
import { DomainError } from "../domain/errors.ts";

export { UniqueConstraintError };

/** Errors after which the same transaction may succeed: nothing of it is left, or its outcome is unknown. */
const AGAIN_ERRNO: ReadonlySet<number> = new Set([
  1205 /* ER_LOCK_WAIT_TIMEOUT: only the statement is undone, the rollback is ours */,
  1213 /* ER_LOCK_DEADLOCK */,
]);
/** The server is going away, is read-only after a fail-over, is full, or has no connection to spare. */
const OUTAGE_ERRNO: ReadonlySet<number> = new Set([
  1021, 1040, 1041, 1053, 1077, 1079, 1114, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1226, 1290, 1317, 1836,
  1927, 3024, 3169, 3170,
]);
const OUTAGE_CODES =
  /^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|ENOTFOUND|EHOSTUNREACH|EAI_AGAIN|PROTOCOL_CONNECTION_LOST|PROTOCOL_SEQUENCE_TIMEOUT|PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR)$/;

export type DatabaseFailure =
  /** Try the whole transaction again, a few times. */
  | "contention"
  /** The database is away: wait for it, as long as it takes. */
  | "outage"
  /** A row that the database refuses: trying again changes nothing. */
  | "data"
  /** Anything else: a bug. */
  | "other";

export function databaseFailure(error: unknown): DatabaseFailure {
  if (error instanceof UniqueConstraintError || error instanceof ForeignKeyConstraintError) return "data";
  if (error instanceof ConnectionError || error instanceof TimeoutError) {
    return AGAIN_ERRNO.has(errnoOf(error) ?? 0) ? "contention" : "outage";
  }
  const errno = errnoOf(error);
  if (errno !== undefined && AGAIN_ERRNO.has(errno)) return "contention";
  if (errno !== undefined && OUTAGE_ERRNO.has(errno)) return "outage";
  if (OUTAGE_CODES.test(codeOf(error) ?? "")) return "outage";
  if (/closed state|Connection lost/i.test(error instanceof Error ? error.message : "")) return "outage";
  return error instanceof DatabaseError && errno !== undefined && DATA_ERRNO.has(errno) ? "data" : "other";
}

/** A statement was given up because it ran longer than its session allows: MySQL, MariaDB. */
export function isStatementTimeout(error: unknown): boolean {
  return [3024, 1969].includes(errnoOf(error) ?? 0);
}

const DATA_ERRNO: ReadonlySet<number> = new Set([1048, 1264, 1366, 1406, 1292, 1452, 3819, 4025]);

/** For the API: a database that is away is not the client's fault, and nothing was taken. */
export function notReadyOnOutage(error: unknown): never {
  const failure = databaseFailure(error);
  if (failure === "outage" || failure === "contention") {
    throw new DomainError(
      "not_ready",
      "The database does not answer right now. Try again shortly.",
      { retryAfterS: 1 },
      { cause: error },
    );
  }
  throw error;
}

interface DriverError {
  readonly errno?: number;
  readonly code?: string;
}

function driverOf(error: unknown): DriverError | undefined {
  const outer = error as { original?: DriverError; parent?: DriverError } | null;
  return outer?.original ?? outer?.parent ?? (error as DriverError | undefined);
}
const errnoOf = (error: unknown) => driverOf(error)?.errno;
const codeOf = (error: unknown) => driverOf(error)?.code;
