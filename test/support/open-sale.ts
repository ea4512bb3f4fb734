import { saleOf, type SaleBody } from "./bodies.ts";
import type { HttpClient } from "./http-client.ts";
import type { Person } from "./seed.ts";

const SALE_MS = 3_600_000;

export interface SaleWish {
  readonly stock: number;
  readonly price?: number;
  readonly perUserLimit?: number;
  readonly startTime?: number;
  readonly endTime?: number;
}

/** A sale that is open now, unless the wish says otherwise. */
export async function openSale(http: HttpClient, host: Person, wish: SaleWish): Promise<SaleBody> {
  const { stock, price = 12_900, perUserLimit = 1, startTime = Date.now() - 1_000 } = wish;
  const answer = await http.post(
    "/api/products",
    {
      ...{ title: "A sale", price, stock, perUserLimit },
      startTime: new Date(startTime).toISOString(),
      endTime: new Date(wish.endTime ?? startTime + SALE_MS).toISOString(),
    },
    host.token,
  );
  if (answer.status !== 201) throw new Error(`no sale: ${answer.status} ${answer.text}`);
  return saleOf(answer);
}
