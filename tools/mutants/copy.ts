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

/** A copy of the repository, but for these files, in a new folder within `folder`; the packages are shared. */
export function copyRepository(folder: string, changed: ReadonlyMap<string, string>): string {
  mkdirSync(folder, { recursive: true });
  const copy = mkdtempSync(join(folder, "copy-"));
  cpSync(REPOSITORY, copy, { recursive: true, filter: (path) => !NOT_COPIED.has(basename(path)) });
  symlinkSync(realpathSync(join(REPOSITORY, "node_modules")), join(copy, "node_modules"));
  for (const [file, text] of changed) writeFileSync(join(copy, file), text);
  return copy;
}

/**
 * The files that a mutant changes, as they will be.
 * @throws CannotPlant unless each edit finds its one place
 */
export function edited(edits: readonly Edit[], root = REPOSITORY): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const { file, find, replace } of edits) {
    const parts = (texts.get(file) ?? readText(root, file)).split(find);
    if (parts.length !== 2)
      throw new CannotPlant(`${file} holds ${parts.length - 1} times, instead of once: ${find.trim()}`);
    texts.set(file, parts.join(replace));
  }
  return texts;
}

function readText(root: string, file: string): string {
  try {
    return readFileSync(join(root, file), "utf8");
  } catch {
    throw new CannotPlant(`${file} is not there`);
  }
}
