import type { Buyers } from "./buyers.ts";
import type { Site } from "./site.ts";

/** Where rounds take place. */
export interface Bench {
  readonly site: Site;
  readonly buyers: Buyers;
  /** What happens now, for the progress line. */
  readonly onProgress: (text: string) => void;
}
