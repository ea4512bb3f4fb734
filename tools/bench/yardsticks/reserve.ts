import { readFileSync } from "node:fs";

/** The script beside this file; the build copies it. */
export const RESERVE = readFileSync(new URL("reserve.lua", import.meta.url), "utf8");

export type Reserved = [word: string, acceptedAt: number];
