import { DomainError } from "../../shared/domain/errors.ts";
import type { Page, PageRequest } from "../../shared/domain/page.ts";
import type { SettlementReader, SettlementScope } from "../../shared/domain/ports.ts";
import type { Settlement, Total } from "../../shared/domain/settlement.ts";
import type { Principal } from "../../shared/domain/user.ts";

export type SettlementService = ReturnType<typeof createSettlementService>;

/** Reading what was charged. A user sees their own; an administrator everybody's. */
export function createSettlementService(settlements: SettlementReader) {
  return {
    list,
    latest,
    listOfUser,
    latestOfUser,
    totalOfUser,
    listOfProduct,
    latestOfProduct,
    totalOfProduct,
  };

  function list(principal: Principal, page: PageRequest<number>): Promise<Page<Settlement, number>> {
    return settlements.list(scopeOf(principal), page);
  }

  function latest(principal: Principal): Promise<Settlement> {
    return newest(scopeOf(principal));
  }

  async function listOfUser(principal: Principal, userId: number, page: PageRequest<number>) {
    mustBe(principal, userId);
    return await settlements.list({ userId }, page);
  }

  async function latestOfUser(principal: Principal, userId: number): Promise<Settlement> {
    mustBe(principal, userId);
    return await newest({ userId });
  }

  async function totalOfUser(principal: Principal, userId: number): Promise<readonly Total[]> {
    mustBe(principal, userId);
    return await settlements.total({ userId });
  }

  function listOfProduct(productId: number, page: PageRequest<number>) {
    return settlements.list({ productId }, page);
  }

  function latestOfProduct(productId: number): Promise<Settlement> {
    return newest({ productId });
  }

  function totalOfProduct(productId: number): Promise<readonly Total[]> {
    return settlements.total({ productId });
  }

  async function newest(scope: SettlementScope): Promise<Settlement> {
    const settlement = await settlements.latest(scope);
    if (!settlement) throw new DomainError("not_found", "There is no settlement yet.");
    return settlement;
  }
}

const scopeOf = ({ role, userId }: Principal): SettlementScope => (role === "admin" ? {} : { userId });

/** Somebody else's settlements do not exist, as far as a user can tell (contract §1, not_found). */
function mustBe({ role, userId }: Principal, wanted: number): void {
  if (role !== "admin" && userId !== wanted) throw new DomainError("not_found", "There is no such user.");
}
