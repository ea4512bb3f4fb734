/** What a yardstick's process is told, in one variable of its environment. */
export interface Wiring {
  readonly port: number;
  readonly jwtSecret: string;
  readonly mysql: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
    readonly database: string;
  };
  readonly redisUrl: string;
  readonly kafkaBrokers: string;
}

export const WIRING = "YARDSTICK";
export const YARDSTICK_TOPIC = "yardstick.orders";
export const YARDSTICK_GROUP = "yardstick.worker";
export const PRICE = 50_000;

export function readWiring(): Wiring {
  return JSON.parse(process.env[WIRING] ?? "{}") as Wiring;
}

/** Of a decided order, in Kafka. */
export interface YardstickMessage {
  readonly orderId: string;
  readonly userId: string;
  readonly productId: number;
  readonly quantity: number;
  readonly unitPrice: number;
  /** Epoch ms, by Redis' clock. */
  readonly acceptedAt: number;
}

/** Keys of reserve.lua, in its order. */
export function stockKeys(productId: number): [string, string, string, string] {
  const tag = `{${productId}}`;
  return [`stock:${tag}`, `reservations:${tag}`, `unpublished:${tag}`, `bought:${tag}`];
}
