import type { SpecFailure } from "./failure.ts";

/** Offsets move after COMMIT, after the dead letters, after the reservations: told by fakes that record their calls. */
export const f08: SpecFailure = {
  id: "F8",
  title: "offset resolved before COMMIT",
  specs: ["worker/handlers/order-placed.test.ts"],
  grep: "only then lets the offsets move",
};
