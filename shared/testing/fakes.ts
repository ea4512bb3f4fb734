import type {
  BacklogWatch,
  DeadLetter,
  DeadLetterTopic,
  DecisionNews,
  Lock,
  Revocations,
  StockEpochs,
} from "../domain/ports.ts";
import { createFaults } from "./faults.ts";

export function createFakeDeadLetterTopic() {
  const letters: DeadLetter[] = [];
  const faults = createFaults<"park">();
  const topic: DeadLetterTopic = {
    park: async (parked) => {
      faults.check("park");
      letters.push(...parked);
    },
  };
  return { ...topic, letters, faults };
}

export function createFakeDecisionNews() {
  const told: string[] = [];
  const faults = createFaults<"tell">();
  const news: DecisionNews = {
    tell: async (orderIds) => {
      faults.check("tell");
      told.push(...orderIds);
    },
  };
  return { ...news, told, faults };
}

export function createFakeRevocations() {
  const revoked = new Map<string, number>();
  const ended = new Map<number, number>();
  const faults = createFaults<"revoke">();
  const list: Revocations = {
    revoke: async (jti, expiresAt) => {
      faults.check("revoke");
      revoked.set(jti, expiresAt);
    },
    revokeAll: async (userId, issuedUntil) => {
      faults.check("revoke");
      ended.set(userId, issuedUntil);
    },
    isRevoked: ({ jti, userId, issuedAt }) =>
      revoked.has(jti) || issuedAt <= (ended.get(userId) ?? -Infinity),
  };
  return { ...list, revoked, ended, faults };
}

/** One per set of workers: who shares it, shares the locks. */
export function createFakeLock(): Lock {
  const held = new Set<string>();
  return {
    async tryWith(resource, _ttlMs, work) {
      if (held.has(resource)) return "busy";
      held.add(resource);
      try {
        await work();
        return "ran";
      } finally {
        held.delete(resource);
      }
    },
  };
}

/** One partition, whose end and committed offset a test moves. */
export function createFakeBacklogWatch() {
  const state = { end: 0n, committed: 0n };
  const watch: BacklogWatch = {
    endOffsets: async () => new Map([[0, state.end]]),
    hasReached: async (offsets) => [...offsets.values()].every((offset) => state.committed >= offset),
    lag: async () => state.end - state.committed,
  };
  return { ...watch, state };
}

export function createFakeStockEpochs() {
  const noted = new Map<number, number>();
  const faults = createFaults<"known" | "note">();
  const epochs: StockEpochs = {
    known: async (ids) => {
      faults.check("known");
      return new Map([...noted].filter(([id]) => ids.includes(id)));
    },
    note: async (news) => {
      faults.check("note");
      for (const [id, epoch] of news) noted.set(id, Math.max(epoch, noted.get(id) ?? 0));
    },
  };
  return { ...epochs, noted, faults };
}
