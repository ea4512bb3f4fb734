import { QUANTILES } from "./percentiles.ts";

/** One line of a scrape. */
type Reading = { name: string; labels: ReadonlyMap<string, string>; value: number };

export type Histogram = {
  /** Upper bounds with the count of all at or below, ascending; the last bound is Infinity. */
  buckets: readonly { upTo: number; count: number }[];
  sum: number;
  count: number;
};

/** Between these bounds lies the quantile; a histogram knows no better. In the histogram's unit. */
export type Range = { above: number; upTo: number };

/** The text format of Prometheus, as far as counters and histograms need it. */
export function parseScrape(text: string): Reading[] {
  return text.split("\n").flatMap((line) => {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!match) return [];
    const [, name = "", labels = "", value = ""] = match;
    return [{ name, labels: labelsOf(labels), value: numberOf(value) }];
  });
}

/** A counter by one of its labels. */
export function counterBy(scrape: readonly Reading[], name: string, label: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const reading of scrape) {
    if (reading.name !== name) continue;
    const word = reading.labels.get(label) ?? "";
    counts.set(word, (counts.get(word) ?? 0) + reading.value);
  }
  return counts;
}

/** What has been counted between two scrapes; words that nothing was counted for are left out. */
export function growth(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): Map<string, number> {
  const grown = [...after].map(([word, count]) => [word, count - (before.get(word) ?? 0)] as const);
  return new Map(grown.filter(([, count]) => count !== 0));
}

/** The histogram of that name over all readings that have these labels. */
export function histogramOf(
  scrape: readonly Reading[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Histogram {
  const mine = scrape.filter((reading) =>
    Object.entries(labels).every(([label, value]) => reading.labels.get(label) === value),
  );
  const total = (part: string): number =>
    mine.reduce((sum, reading) => (reading.name === `${name}_${part}` ? sum + reading.value : sum), 0);
  const counts = counterBy(mine, `${name}_bucket`, "le");
  const buckets = [...counts].map(([bound, count]) => ({ upTo: numberOf(bound), count }));
  return { buckets: buckets.sort((a, b) => a.upTo - b.upTo), sum: total("sum"), count: total("count") };
}

export function histogramGrowth(before: Histogram, after: Histogram): Histogram {
  const earlier = new Map(before.buckets.map(({ upTo, count }) => [upTo, count]));
  return {
    buckets: after.buckets.map(({ upTo, count }) => ({ upTo, count: count - (earlier.get(upTo) ?? 0) })),
    sum: after.sum - before.sum,
    count: after.count - before.count,
  };
}

/** By QUANTILES; undefined when nothing was observed. */
export function rangesOf({ buckets, count }: Histogram): Range[] | undefined {
  if (count === 0) return undefined;
  return QUANTILES.map((q) => {
    const rank = Math.max(1, Math.ceil(q * count)); // the same nearest rank as percentilesOf takes
    const index = buckets.findIndex((bucket) => bucket.count >= rank);
    return { above: buckets[index - 1]?.upTo ?? 0, upTo: buckets[index]?.upTo ?? Infinity };
  });
}

function labelsOf(text: string): Map<string, string> {
  const pairs = text.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g);
  return new Map([...pairs].map(([, label = "", value = ""]) => [label, value]));
}

function numberOf(text: string): number {
  return text === "+Inf" ? Infinity : Number(text);
}
