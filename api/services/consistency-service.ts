import {
  byInvariant,
  type CheckResult,
  type Consistency,
  type UnderWay,
} from "../../shared/domain/consistency.ts";
import { DomainError } from "../../shared/domain/errors.ts";
import type { ProductRepository } from "../../shared/domain/ports.ts";

/** When another run may be over. */
const RETRY_AFTER_S = 5;

export interface ConsistencyReport {
  readonly checkedAt: number;
  readonly checks: readonly CheckResult[];
  /** As it was when the checks began. */
  readonly underWay: UnderWay;
}

export interface ConsistencyServiceDependencies {
  readonly consistency: Pick<Consistency, "check" | "underWay">;
  readonly products: Pick<ProductRepository, "findById">;
  readonly now: () => number;
}

export type ConsistencyService = ReturnType<typeof createConsistencyService>;

/** The checks of `npm run verify`, on demand. */
export function createConsistencyService({ consistency, products, now }: ConsistencyServiceDependencies) {
  let running = false;
  return { run };

  /** @throws DomainError not_ready while another run of this process goes on, or when it takes too long; not_found */
  async function run(productId?: number): Promise<ConsistencyReport> {
    if (running) {
      // Each run scans whole tables: two of them would only be slower.
      throw new DomainError("not_ready", "The checks are running already. Ask again when they are over.", {
        retryAfterS: RETRY_AFTER_S,
      });
    }
    running = true;
    try {
      return await report(productId);
    } finally {
      running = false;
    }
  }

  async function report(productId: number | undefined): Promise<ConsistencyReport> {
    if (productId !== undefined && !(await products.findById(productId)))
      throw new DomainError("not_found", "There is no such product.");
    const checkedAt = now();
    const underWay = await consistency.underWay(productId);
    const checks: CheckResult[] = [];
    for await (const result of consistency.check(productId === undefined ? {} : { productId }))
      checks.push(result);
    return { checkedAt, checks: byInvariant(checks), underWay };
  }
}
