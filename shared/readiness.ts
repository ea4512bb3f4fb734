export type Check = () => boolean | Promise<boolean>;

export interface Readiness {
  readonly ready: boolean;
  /** Name of each check → whether it passed. */
  readonly checks: Readonly<Record<string, boolean>>;
}

const CHECK_TIMEOUT_MS = 1_000;

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
