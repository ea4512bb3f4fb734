/**
 * What the launcher tells a person when it cannot go on: one sentence that says what to do, printed without a stack, exit 1.
 * Every other error is a bug and is printed whole.
 */
export class StackFailure extends Error {
  override readonly name = "StackFailure";
}

/** The message of whatever was thrown, for the end of a sentence. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
