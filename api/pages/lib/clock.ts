/** A Date header says the second; the answer came within it. */
const HEADER_STEP_MS = 1_000;

// What the server's clock is ahead of this one, as narrow as the answers so far have made it.
let atLeast = -Infinity;
let atMost = Infinity;

/** Each answer says a little more of how far the server's clock is from this one. */
export function noteServerTime(dateHeader: string | null, sentAt: number, receivedAt: number): void {
  const second = Date.parse(dateHeader ?? "");
  if (Number.isNaN(second)) return;
  const low = second - receivedAt;
  const high = second + HEADER_STEP_MS - sentAt;
  // One of the clocks was set: begin anew.
  if (low > atMost || high < atLeast) [atLeast, atMost] = [low, high];
  else [atLeast, atMost] = [Math.max(low, atLeast), Math.min(high, atMost)];
}

/** The server's clock, epoch ms. */
export function serverNow(): number {
  return Date.now() + (Number.isFinite(atLeast + atMost) ? (atLeast + atMost) / 2 : 0);
}

/** "2 d 03:04:05", "03:04:05"; nothing below zero. */
export function countdown(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1_000));
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0");
  const clock = `${two((s % 86_400) / 3_600)}:${two((s % 3_600) / 60)}:${two(s % 60)}`;
  return s >= 86_400 ? `${String(Math.floor(s / 86_400))} d ${clock}` : clock;
}
