/** What the next calls of a fake's operations do instead of what they should, one after the other. */
export function createFaults<Name extends string>() {
  const planned = new Map<Name, unknown[]>();
  return {
    /** The next call of `name` (or the next `times`) throws this before it has any effect. */
    fail(name: Name, error: unknown = new Error(`${name} failed`), times = 1): void {
      planned.set(name, [...(planned.get(name) ?? []), ...Array.from({ length: times }, () => error)]);
    },
    /** What was planned and did not happen no longer will. */
    forget(): void {
      planned.clear();
    },
    check(name: Name): void {
      const errors = planned.get(name) ?? [];
      if (errors.length === 0) return;
      throw errors.shift();
    },
  };
}
