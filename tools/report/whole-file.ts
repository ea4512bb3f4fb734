import { open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { StartRefused } from "../../shared/config.ts";

/** @throws StartRefused when something of this name is there: it may be the only copy of an earlier report */
export async function refuseExisting(...files: readonly string[]): Promise<void> {
  for (const file of files) {
    const there = await stat(file).then(
      () => true,
      () => false,
    );
    if (there) throw new StartRefused(`--out: ${file} exists already.`);
  }
}

/**
 * Writes under another name, and gives the file its own when all of it is on the disk: what has the name is whole.
 * @throws StartRefused when the disk refuses; whatever else `pieces` throws, as it is. Either way nothing is left behind.
 */
export async function writeWhole<T>(file: string, pieces: AsyncGenerator<Buffer, T>): Promise<T> {
  const unfinished = `${file}.${process.pid}.part`;
  try {
    const handle = await open(unfinished, "wx", 0o600).catch(refusedByDisk);
    try {
      for (;;) {
        const piece = await pieces.next();
        if (piece.done) {
          await handle.sync().catch(refusedByDisk);
          await rename(unfinished, file).catch(refusedByDisk);
          await syncFolder(dirname(file));
          return piece.value;
        }
        await handle.writeFile(piece.value).catch(refusedByDisk);
      }
    } finally {
      await handle.close();
    }
  } finally {
    await pieces.return(undefined as T);
    await rm(unfinished, { force: true });
  }
}

/** Else a power cut could still take the name away. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  await handle.sync().catch(() => undefined); // not every file system can
  await handle.close();
}

function refusedByDisk(error: unknown): never {
  throw new StartRefused(`--out: the file can't be written (${(error as Error).message}).`);
}
