/** Calendar days of a time zone, by the rules that the runtime brings along: no table of the database's is needed. */

const DAY_S = 86_400;
/** Clocks of the world differ from UTC by less. */
const OFFSET_MAX_S = 16 * 3_600;

/** A day of the calendar, "2027-01-31". */
export type Day = string;

/** Whether this is the name of a time zone (IANA), like Asia/Seoul; a bare offset is none. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/** The day that a clock in this zone shows. */
export function dayOf(epochMs: number, timeZone: string): Day {
  const parts = formatOf(timeZone).formatToParts(epochMs);
  const part = (wanted: string): string => parts.find(({ type }) => type === wanted)?.value ?? "";
  return `${part("year").padStart(4, "0")}-${part("month")}-${part("day")}`;
}

/**
 * The first instant of a day, epoch ms: midnight, or when the clocks jump over midnight, what comes after. Of a day that a
 * zone has left out, the start of the next one.
 */
export function startOfDay(day: Day, timeZone: string): number {
  const midnightS = Date.parse(`${day}T00:00:00.000Z`) / 1_000;
  let before = midnightS - OFFSET_MAX_S;
  let reached = midnightS + OFFSET_MAX_S + DAY_S;
  while (reached - before > 1) {
    const middle = Math.floor((before + reached) / 2);
    if (dayOf(middle * 1_000, timeZone) >= day) reached = middle;
    else before = middle;
  }
  return reached * 1_000;
}

/** The day so many days later, or earlier. */
export const dayAfter = (day: Day, days: number): Day =>
  new Date(Date.parse(`${day}T00:00:00.000Z`) + days * DAY_S * 1_000).toISOString().slice(0, 10);

const formats = new Map<string, Intl.DateTimeFormat>();

/** Kept: making one takes a thousand times as long as using it. @throws RangeError for a zone that is not known */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
      ...{ timeZone, year: "numeric", month: "2-digit", day: "2-digit" },
    });
    formats.set(timeZone, format);
  }
  return format;
}
