import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { hasCode, StackFailure } from "./failure.ts";
import { readJson, writeJson } from "./files.ts";
import type { Home } from "./home.ts";

const FIRST_PORT = 20_000;
const EPHEMERAL_FIRST_DEFAULT = 32_768;
const ATTEMPTS_MAX = 200;

export type Ports = ReturnType<typeof openPorts>;

/** The ports of a home, remembered so that a restart is found where it was, unless somebody else took its place. */
export function openPorts(home: Home, isFree: (port: number) => Promise<boolean> = isPortFree) {
  const path = home.at("ports.json");
  const ports = remembered(path);
  return {
    async claim(name: string): Promise<number> {
      const others = new Set([...ports].filter(([other]) => other !== name).map(([, port]) => port));
      const known = ports.get(name);
      const keep = known !== undefined && !others.has(known) && (await isFree(known));
      const port = keep ? known : await findFree(isFree, others);
      ports.set(name, port);
      writeJson(path, Object.fromEntries(ports));
      return port;
    },
  };
}

export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error) => {
      if (hasCode(error, "EADDRINUSE") || hasCode(error, "EACCES")) resolve(false);
      else reject(error);
    });
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

/** The port a person chose, or the standard one: taken means stop, a surprise on another port would help nobody. */
export async function demandPort(text: string | undefined, standard: number): Promise<number> {
  const port = text === undefined || text === "" ? standard : Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new StackFailure(`PORT must be a whole number from 1 to 65535, not "${text ?? ""}".`);
  }
  if (await isPortFree(port)) return port;
  throw new StackFailure(
    `Port ${String(port)} is in use: free it, or choose another, as in PORT=3001 npm start.`,
  );
}

/**
 * Below the ports that the kernel gives to outgoing connections: while a server is down, a client of it that tries again and
 * again could be handed that very port, connect to itself, and keep the server from coming back.
 */
async function findFree(isFree: (port: number) => Promise<boolean>, others: Set<number>): Promise<number> {
  const end = ephemeralFirst();
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * (end - FIRST_PORT));
    if (!others.has(port) && (await isFree(port))) return port;
  }
  throw new StackFailure(`No free port was found between ${String(FIRST_PORT)} and ${String(end)}.`);
}

function ephemeralFirst(): number {
  try {
    const first = Number.parseInt(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8"), 10);
    return first > FIRST_PORT + ATTEMPTS_MAX ? first : EPHEMERAL_FIRST_DEFAULT;
  } catch {
    return EPHEMERAL_FIRST_DEFAULT;
  }
}

function remembered(path: string): Map<string, number> {
  const kept = readJson(path);
  if (typeof kept !== "object" || kept === null) return new Map();
  const known = Object.entries(kept).filter((entry): entry is [string, number] => Number.isInteger(entry[1]));
  return new Map(known);
}
