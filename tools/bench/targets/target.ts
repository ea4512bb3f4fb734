import type { Percentiles } from "../../jmeter/percentiles.ts";
import type { Roles } from "../cpu.ts";

/** Something that takes and settles orders, to be measured: FlashPay, or a yardstick. */
export interface Target {
  readonly name: string;
  /** Brings its processes up on empty stores. */
  start(wish: Fleet): Promise<RunningTarget>;
}

export interface Fleet {
  readonly apis: number;
  readonly workers: number;
  /** What FlashPay's programs are told beside what the bench tells them always. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface RunningTarget {
  /** host:port of each API process. */
  readonly addresses: readonly string[];
  /** Its own processes; the servers' are the site's. */
  readonly roles: Roles;
  /** More workers, ready. */
  startWorkers(count: number): Promise<void>;
  /** Products on sale, each with so many units, one for each buyer. */
  openSales(count: number, stock: number): Promise<number[]>;
  /** Units settled so far. */
  settled(productIds: readonly number[]): Promise<number>;
  decisions(productIds: readonly number[]): Promise<Decisions>;
  /** The broken rules, one sentence each; undefined where there is nothing that could check. */
  verify(): Promise<readonly string[] | undefined>;
  stop(): Promise<void>;
}

export interface Decisions {
  readonly succeeded: number;
  readonly failed: number;
  /** From the acceptance to the decision of each SUCCESS, ms. */
  readonly tookMs: Percentiles | undefined;
}
