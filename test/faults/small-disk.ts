import { spawnSync } from "node:child_process";
import { closeSync, cpSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../tools/stack/command.ts";

const BALLAST = "ballast";
const CHUNK_BYTES = 65_536;
/** Room beyond what the data take now, so that nothing is full before the ballast is. */
const ROOM_MB = 256;

export interface SmallDisk {
  /** Not a byte is left. Returns how many were. */
  fill(): number;
  free(): void;
  /** The data go back to where they were; the server must not run. */
  leave(): Promise<void>;
}

/** Why this machine cannot be given a small disk; undefined when it can. */
export function whyNoSmallDisk(folder: string): string | undefined {
  const tried = join(folder, "mount-tried");
  mkdirSync(tried);
  const mounted = mount(tried, 1);
  if (mounted) spawnSync("umount", [tried]);
  rmSync(tried, { recursive: true });
  return mounted ? undefined : "needs mount: only root may mount a small disk";
}

/** Moves a stopped server's data onto a disk of their own, which can be filled. */
export async function onSmallDisk(data: string): Promise<SmallDisk> {
  const aside = `${data}.aside`;
  cpSync(data, aside, { recursive: true, preserveTimestamps: true });
  const { output } = await run("du", ["-sm", data]);
  if (!mount(data, Number.parseInt(output, 10) + ROOM_MB)) throw new Error(`${data}: no disk was mounted`);
  await run("cp", ["-a", `${aside}/.`, data]);
  rmSync(aside, { recursive: true });
  const ballast = join(data, BALLAST);
  return {
    fill: () => fill(ballast),
    free: () => {
      rmSync(ballast, { force: true });
    },
    async leave() {
      rmSync(ballast, { force: true });
      await run("cp", ["-a", `${data}/.`, aside]);
      spawnSync("umount", ["--lazy", data]);
      await run("cp", ["-a", `${aside}/.`, data]);
      rmSync(aside, { recursive: true, force: true });
    },
  };
}

function mount(folder: string, sizeMb: number): boolean {
  const options = ["-t", "tmpfs", "-o", `size=${String(sizeMb)}m,mode=755`, "flashpay-faults", folder];
  return spawnSync("mount", options).status === 0;
}

function fill(path: string): number {
  const file = openSync(path, "a");
  let written = 0;
  try {
    for (let size = CHUNK_BYTES; size >= 1; size = Math.floor(size / 16)) {
      const chunk = Buffer.alloc(size);
      try {
        for (;;) written += writeSync(file, chunk);
      } catch {
        // Full for a chunk of this size; a smaller one may still fit.
      }
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return written;
}
