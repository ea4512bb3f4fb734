import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { REPOSITORY } from "../stack/home.ts";
import type { Edit } from "./mutant.ts";

const NOT_COPIED: ReadonlySet<string> = new Set([
  "node_modules",
  ".git",
  ".flashpay",
  ".cache",
  "dist",
  "coverage",
]);

/** That the code is no longer what a mutant was written for. */
export class CannotPlant extends Error {}

/** A copy of the repository in a new folder within `folder`; the packages are shared. */
export function copyRepository(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const copy = mkdtempSync(join(folder, "copy-"));
  cpSync(REPOSITORY, copy, { recursive: true, filter: (path) => !NOT_COPIED.has(basename(path)) });
  symlinkSync(realpathSync(join(REPOSITORY, "node_modules")), join(copy, "node_modules"));
  return copy;
}

/** @throws CannotPlant and changes nothing, unless each edit finds its one place */
export function plant(root: string, edits: readonly Edit[]): void {
  const texts = new Map<string, string>();
  for (const { file, find, replace } of edits) {
    const text = texts.get(file) ?? readText(root, file);
    const parts = text.split(find);
    if (parts.length !== 2)
      throw new CannotPlant(`${file} holds ${parts.length - 1} times, instead of once: ${find.trim()}`);
    texts.set(file, parts.join(replace));
  }
  for (const [file, text] of texts) writeFileSync(join(root, file), text);
}

function readText(root: string, file: string): string {
  try {
    return readFileSync(join(root, file), "utf8");
  } catch {
    throw new CannotPlant(`${file} is not there`);
  }
}
