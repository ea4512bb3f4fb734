import { API_MUTANTS } from "./api-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { REDIS_MUTANTS } from "./redis-mutants.ts";
import { WORKER_MUTANTS } from "./worker-mutants.ts";

const numberOf = ({ id }: Mutant) => Number(id.slice(1));

export const MUTANTS: readonly Mutant[] = [...API_MUTANTS, ...REDIS_MUTANTS, ...WORKER_MUTANTS].sort(
  (a, b) => numberOf(a) - numberOf(b),
);
