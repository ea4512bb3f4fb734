import { waitFor } from "../../tools/stack/wait.ts";

/**
 * Asks until the answer is something other than undefined or false, and gives it back.
 * @throws when it still is not after the deadline; `what` says what was waited for
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  deadlineMs: number,
  pollMs = 25,
): Promise<T> {
  let last: unknown;
  const answer = await waitFor(
    async () => {
      try {
        const given = await ask();
        return given === false || given === undefined ? undefined : { given };
      } catch (error) {
        last = error;
        throw error;
      }
    },
    deadlineMs,
    pollMs,
  );
  if (answer) return answer.given;
  const cause = last instanceof Error ? ` (${last.message})` : "";
  throw new Error(`After ${deadlineMs} ms still not: ${what}${cause}`);
}
