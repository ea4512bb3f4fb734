/** Integers only, in the currency's smallest unit (ISO 4217 exponent: KRW 0, USD 2). */

/** Highest price of one unit, inclusive. */
export const PRICE_MAX = 1_000_000_000_000;
/** Highest number of units one user may be allowed of one product, inclusive. */
export const PER_USER_LIMIT_MAX = 100;
/** Highest stock of one product, inclusive. */
export const STOCK_MAX = 10_000_000;

/**
 * Unit price × quantity.
 * @returns integer in the smallest unit; PRICE_MAX × PER_USER_LIMIT_MAX = 10¹⁴ stays far below 2⁵³.
 * @throws RangeError when an argument is no positive integer or the product is not exactly representable.
 */
export function amountOf(unitPrice: number, quantity: number): number {
  const amount = unitPrice * quantity;
  if (!isPositiveInteger(unitPrice) || !isPositiveInteger(quantity) || !Number.isSafeInteger(amount)) {
    throw new RangeError(`Not an exact amount: ${unitPrice} × ${quantity}`);
  }
  return amount;
}

function isPositiveInteger(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}
