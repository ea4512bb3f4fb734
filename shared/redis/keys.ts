/**
 * Every Redis key there is. In a Redis Cluster keys of one call share the hash tag, hence the slot: `{p:ID}` holds what
 * belongs to a product, `{u:ID}` what belongs to a user. No key is built anywhere else.
 */
const product = (id: number) => `{p:${id}}`;
const user = (id: number) => `{u:${id}}`;

export const keys = {
  stock: (productId: number) => `${product(productId)}:stock`,
  reservations: (productId: number) => `${product(productId)}:reservations`,
  unpublished: (productId: number) => `${product(productId)}:unpublished`,
  bought: (productId: number) => `${product(productId)}:bought`,
  boughtStaged: (productId: number, token: string) => `${product(productId)}:bought:${token}`,
  decided: (productId: number, bucket: string) => `${product(productId)}:decided:${bucket}`,
  answered: (productId: number) => `${product(productId)}:answered`,

  idempotency: (userId: number, key: string) => `${user(userId)}:key:${key}`,
  pending: (userId: number) => `${user(userId)}:pending`,
  orderLock: (userId: number, productId: number) => `${user(userId)}:lock:${productId}`,

  jobLock: (name: string) => `{job:${name}}:lock`,
  knownAddresses: (account: string) => `known:${account}`,
  rateLimit: (name: string) => `rate:${name}`,
  latencies: () => "live:latencies",
  revoked: () => "revoked",
} as const;

/** Longest time in which an order id of this kind can come back, ms: 24 h of a key and its clock's edge, or a late re-send. */
const KEYED_KEPT_MS = 25 * 3_600_000;
const UNKEYED_KEPT_MS = 30 * 60_000;
const BUCKET_MS = 600_000;

/**
 * Which bucket of tombstones an order id belongs to: told by the id's own time stamp (RFC 9562: the first 48 bits are
 * epoch ms), so that reserve and settle always look in the same one, and whole buckets expire.
 */
export function tombstoneBucket(orderId: string): { bucket: string; keptMs: number } {
  const stampMs = Number.parseInt(orderId.slice(0, 8) + orderId.slice(9, 13), 16);
  const derived = orderId[14] === "8";
  return {
    bucket: `${derived ? "k" : "o"}${Math.floor(stampMs / BUCKET_MS)}`,
    keptMs: derived ? KEYED_KEPT_MS : UNKEYED_KEPT_MS,
  };
}
