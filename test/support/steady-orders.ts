import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { percentilesOf } from "../../tools/jmeter/percentiles.ts";
import type { HttpClient } from "./http-client.ts";
import type { Person } from "./seed.ts";

export interface SteadyWish {
  readonly productId: number;
  /** One order each. */
  readonly buyers: readonly Person[];
  readonly perS: number;
  /** A cold process may refuse: its answers are not looked at. */
  readonly cold?: boolean;
  /** Asked before each order. */
  readonly over?: () => boolean;
  /** Told of each answer: ms since its order was to be sent, and when that was (performance.now). */
  readonly onAnswer?: (ms: number, at: number) => void;
}

/** Orders at a constant rate, all accepted; ms of each from the moment it was to be sent. */
export async function orderSteadily(
  http: HttpClient,
  { productId, buyers, perS, cold = false, over = () => false, onAnswer }: SteadyWish,
): Promise<number[]> {
  const startedAt = performance.now();
  const answers: Promise<number>[] = [];
  for (const [i, buyer] of buyers.entries()) {
    const at = startedAt + (i * 1_000) / perS;
    if (at > performance.now()) await delay(at - performance.now());
    if (over()) break;
    answers.push(
      http.post("/api/orders", { productId }, buyer.token).then(({ status }) => {
        if (!cold) expect(status).to.equal(202);
        const ms = performance.now() - at;
        onAnswer?.(ms, at);
        return ms;
      }),
    );
  }
  return await Promise.all(answers);
}

export const p99 = (ms: readonly number[]): number => percentilesOf(ms)?.at[2] ?? Number.NaN;

export function inWords(ms: readonly number[]): string {
  const { at = [], max = 0 } = percentilesOf(ms) ?? {};
  const [p50 = 0, p90 = 0, of99 = 0] = at.map((value) => value.toFixed(1));
  return `${ms.length}, p50 ${p50}, p90 ${p90}, p99 ${of99}, max ${max.toFixed(0)} ms`;
}

/** A figure among the lines of a run. */
export const say = (line: string): void => void process.stdout.write(`      ${line}\n`);
