import type { Total } from "./settlement.ts";

/** What administrators did: who, when, what, to what, and how it stood before and after. */

export type AuditAction =
  | "dead_letter.replay"
  | "dead_letter.discard"
  | "product.change"
  | "product.reconcile"
  | "settlements.export";

/**
 * "done": it was changed. "came_second": somebody else had changed it before, and this act changed nothing. "failed":
 * nothing was changed, because something else did not do its part.
 */
export type AuditOutcome = "done" | "came_second" | "failed";

/** Facts of the target that the act is about; small, and without secrets: they are kept for good. */
export type AuditState = Readonly<Record<string, string | number | boolean | null | readonly Total[]>>;

export interface AuditNote {
  readonly adminId: number;
  readonly action: AuditAction;
  /** Kind and id: `dead_letter:17`. */
  readonly target: string;
  readonly outcome: AuditOutcome;
  readonly reason?: string;
  readonly before: AuditState;
  readonly after: AuditState;
}

export interface AuditEntry {
  readonly id: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly admin: { readonly id: number; readonly username: string };
  readonly action: string;
  readonly target: string;
  readonly outcome: AuditOutcome;
  readonly reason: string | null;
  readonly before: AuditState;
  readonly after: AuditState;
}

export const targetOf = (kind: "dead_letter" | "product" | "export", id: number | string): string =>
  `${kind}:${id}`;
