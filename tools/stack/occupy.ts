import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { openHome, type Home } from "./home.ts";
import { lockHome } from "./lock.ts";
import { stopLeftover } from "./process.ts";
import type { Report } from "./report.ts";

const LEFTOVER_DEADLINE_MS = 20_000;

/** In the order of a stop; programs, whatever their names, come before the servers they use. */
const SERVERS = ["kafka", "redis", "mysql"];

/** A home that belongs to this process until it is released. */
export type OccupiedHome = Home & { release: () => void };

/** Takes the home for this process, and ends what a killed launcher left running from it. */
export async function occupyHome(folder: string, report: Report): Promise<OccupiedHome> {
  const home = openHome(folder);
  const release = lockHome(home);
  for (const name of left(home)) {
    if (await stopLeftover(home, name, LEFTOVER_DEADLINE_MS)) {
      report(`stopped ${name}, left running by a launcher that was killed`);
    }
  }
  return { ...home, release };
}

function left(home: Home): string[] {
  const names = readdirSync(home.at("run")).map((file) => basename(file, ".json"));
  return names.sort((a, b) => SERVERS.indexOf(a) - SERVERS.indexOf(b));
}
