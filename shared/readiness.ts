export type Check = () => boolean | Promise<boolean>;

export interface Readiness {
  readonly ready: boolean;
  /** Name of each check → whether it passed. */
  readonly checks: Readonly<Record<string, boolean>>;
}

const CHECK_TIMEOUT_MS = 1_000;
/** What a check found holds for so long: whoever asks a thousand times costs the servers four checks a second. */
export const READINESS_SHARED_MS = 250;

/**
 * Readiness for whoever asks, however often: one check of the servers at a time, shared by all who ask while it runs and
 * READINESS_SHARED_MS after it.
 * @param momentary looked at for every answer: a process that is stopping says so at once
 */
export function createReadiness(
  checks: Readonly<Record<string, Check>>,
  momentary: Readonly<Record<string, () => boolean>> = {},
  now: () => number = () => performance.now(),
): () => Promise<Readiness> {
  let shared: Promise<Readiness> | undefined;
  let until = Infinity;
  return async () => {
    if (!shared || now() >= until) {
      until = Infinity;
      shared = readiness(checks).finally(() => {
        until = now() + READINESS_SHARED_MS;
      });
    }
    const found = await shared;
    const own = Object.fromEntries(Object.entries(momentary).map(([name, check]) => [name, check()]));
    return {
      ready: found.ready && Object.values(own).every(Boolean),
      checks: { ...own, ...found.checks },
    };
  };
}

/** Runs all checks at once; one that throws, or takes longer than CHECK_TIMEOUT_MS, is not ready. */
export async function readiness(checks: Readonly<Record<string, Check>>): Promise<Readiness> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await passes(check)] as const),
  );
  return { ready: results.every(([, ok]) => ok), checks: Object.fromEntries(results) };
}

async function passes(check: Check): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([Promise.resolve(check()), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
