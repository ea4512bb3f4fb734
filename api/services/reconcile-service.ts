import { targetOf, type AuditState } from "../../shared/domain/audit.ts";
import { DomainError } from "../../shared/domain/errors.ts";
import type { AuditTrail, Counters, Ledger, Log } from "../../shared/domain/ports.ts";
import {
  reconcileProduct,
  type ReconcileDependencies,
  type Reconciliation,
} from "../../shared/domain/reconcile.ts";
import type { Principal } from "../../shared/domain/user.ts";

export interface ReconcileServiceDependencies {
  readonly stock: ReconcileDependencies["stock"];
  readonly ledger: Ledger;
  readonly audit: Pick<AuditTrail, "record">;
  readonly log: Log;
}

export interface Reconciled extends Reconciliation {
  /** Null while there are no counters. */
  readonly before: Pick<Counters, "left" | "held"> | null;
  readonly after: Pick<Counters, "left" | "held"> | null;
}

export type ReconcileService = ReturnType<typeof createReconcileService>;

/** An administrator's wish to have one product's counters compared with the database, and mended, now. */
export function createReconcileService({ stock, ledger, audit, log }: ReconcileServiceDependencies) {
  return { reconcile };

  /** @throws DomainError not_found, not_ready */
  async function reconcile(admin: Principal, productId: number, traceId?: string): Promise<Reconciled> {
    const before = await countersOf(productId);
    const result = await reconcileProduct({ stock, ledger }, productId).catch(asNotReady);
    if (!result) throw new DomainError("not_found", "There is no such product.");
    const after = await countersOf(productId);
    const { state, ended, unitsGivenBack } = result;
    await audit.record({
      ...{ adminId: admin.userId, action: "product.reconcile", target: targetOf("product", productId) },
      outcome: "done",
      before: stateOf(before),
      after: { ...stateOf(after), state, ended, unitsGivenBack },
    });
    log.info({ ...result, adminId: admin.userId, traceId, before, after }, "product reconciled");
    return { ...result, before, after };
  }

  async function countersOf(productId: number): Promise<Reconciled["before"]> {
    const known = await stock.counters([productId]).catch(asNotReady);
    const counters = known.get(productId);
    return counters ? { left: counters.left, held: counters.held } : null;
  }
}

/** Redis is away: what it said is not known, and nothing is wrong with the request. */
function asNotReady(cause: unknown): never {
  if (cause instanceof DomainError) throw cause;
  const message = "The counters can't be read right now. Try again shortly.";
  throw new DomainError("not_ready", message, { retryAfterS: 1 }, { cause });
}

const stateOf = (counters: Reconciled["before"]): AuditState => ({
  left: counters?.left ?? null,
  held: counters?.held ?? null,
});
