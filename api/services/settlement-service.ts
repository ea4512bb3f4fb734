import { DomainError } from "../../shared/domain/errors.ts";
import type { Page, PageRequest } from "../../shared/domain/page.ts";
import type { SettlementReader } from "../../shared/domain/ports.ts";
import { filterOf, type ReportWish } from "../../shared/domain/report.ts";
import type { Settlement, SettlementFilter, Total } from "../../shared/domain/settlement.ts";
import type { Principal } from "../../shared/domain/user.ts";

export type SettlementService = ReturnType<typeof createSettlementService>;

/**
 * Reading what was charged. A user sees their own; an administrator everybody's.
 * @param timeZone of days in a wish, IANA name
 */
export function createSettlementService(settlements: SettlementReader, timeZone: string) {
  return {
    list,
    latest,
    total,
    listOfUser,
    latestOfUser,
    totalOfUser,
    listOfProduct,
    latestOfProduct,
    totalOfProduct,
  };

  /** @throws DomainError validation_failed when a user asks for somebody else's */
  async function list(principal: Principal, wish: ReportWish, page: PageRequest<number>) {
    const own = scopeOf(principal);
    if (own.userId !== undefined && (wish.userId ?? own.userId) !== own.userId) {
      throw new DomainError("validation_failed", "A user's list holds the user's own settlements.", {
        errors: [{ pointer: "#/query/userId", detail: "must be your own" }],
      });
    }
    return await read({ ...wish, ...own }, page);
  }

  function latest(principal: Principal): Promise<Settlement> {
    return newest(scopeOf(principal));
  }

  function total({ role, userId }: Principal): Promise<readonly Total[]> {
    return settlements.total(role === "admin" ? "all" : { userId });
  }

  async function listOfUser(
    principal: Principal,
    wish: ReportWish & { readonly userId: number },
    page: PageRequest<number>,
  ) {
    mustBe(principal, wish.userId);
    return await read(wish, page);
  }

  async function latestOfUser(principal: Principal, userId: number): Promise<Settlement> {
    mustBe(principal, userId);
    return await newest({ userId });
  }

  async function totalOfUser(principal: Principal, userId: number): Promise<readonly Total[]> {
    mustBe(principal, userId);
    return await settlements.total({ userId });
  }

  async function listOfProduct(wish: ReportWish & { readonly productId: number }, page: PageRequest<number>) {
    return await read(wish, page);
  }

  function latestOfProduct(productId: number): Promise<Settlement> {
    return newest({ productId });
  }

  function totalOfProduct(productId: number): Promise<readonly Total[]> {
    return settlements.total({ productId });
  }

  function read(wish: ReportWish, page: PageRequest<number>): Promise<Page<Settlement, number>> {
    return settlements.list(filterOf(wish, timeZone), page);
  }

  async function newest(scope: SettlementFilter): Promise<Settlement> {
    const settlement = await settlements.latest(scope);
    if (!settlement) throw new DomainError("not_found", "There is no settlement yet.");
    return settlement;
  }
}

const scopeOf = ({ role, userId }: Principal): SettlementFilter => (role === "admin" ? {} : { userId });

/** Somebody else's settlements do not exist, as far as a user can tell (contract §1, not_found). */
function mustBe({ role, userId }: Principal, wanted: number): void {
  if (role !== "admin" && userId !== wanted) throw new DomainError("not_found", "There is no such user.");
}
