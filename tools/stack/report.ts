/** Progress for a person: one line per step with the time since the launcher began. */
export type Report = (sentence: string) => void;

export function createReport(write: (line: string) => void, startedAt = performance.now()): Report {
  return (sentence) => {
    const elapsedMs = Math.round(performance.now() - startedAt);
    write(`${String(elapsedMs).padStart(7)} ms  ${sentence}\n`);
  };
}
