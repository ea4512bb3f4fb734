import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The pages whose commands readers copy. */
export const COMMAND_PAGES = [
  "README.md",
  "README.ko.md",
  ...readdirSync("docs")
    .filter((file) => file.endsWith(".md"))
    .map((file) => join("docs", file)),
];

export interface Block {
  readonly page: string;
  /** The page, and the heading that it stands under, as a link would name them: docs/operations.md#reports. */
  readonly place: string;
  readonly language: string;
  readonly text: string;
}

export const readPage = (page: string): string => readFileSync(page, "utf8");

/** As GitHub makes them of headings. */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

const FENCE = /^```(\w*)\n([\s\S]*?)^```$/gm;

export function blocksOf(page: string, language: string): Block[] {
  const text = readPage(page);
  return [...text.matchAll(FENCE)]
    .filter(([, found]) => found === language)
    .map((match) => {
      const before = text.slice(0, match.index).replace(FENCE, "");
      const heading = [...before.matchAll(/^#+ (.+)$/gm)].at(-1)?.[1] ?? "";
      return { page, place: `${page}#${anchorOf(heading)}`, language, text: match[2] ?? "" };
    });
}

/** Without comments and empty lines. A # inside a word or quotes is none. */
export const linesOf = ({ text }: Block): string[] =>
  text
    .split("\n")
    .map((line) => line.replace(/(^|\s+)# .*$/, "").trim())
    .filter((line) => line !== "");

/** Commands in prose and tables: what stands between backticks and begins with a program. */
export function inlineCommands(page: string): string[] {
  const prose = readPage(page).replace(FENCE, "");
  const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span);
  return [...new Set(spans.filter((span) => INLINE.test(span)))];
}

const INLINE =
  /^([A-Z_]+=\S+ )*(npm|pm2|docker|node|curl|sha256sum|nginx|caddy|mysql|mysqldump|redis-cli|kafka-[\w-]+\.sh) \S/;

/** Lines that need more than a sandbox: a container engine, a process manager, Kafka's own programs, an installation. */
export const isRunElsewhere = (line: string): boolean =>
  /^(docker|pm2|npm ci|kafka-topics\.sh|export METRICS=)/.test(line);
