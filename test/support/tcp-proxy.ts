import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export type Direction = "up" | "down";

/** What befalls bytes of one direction, up to the server or down from it. Nothing set: they pass. */
export interface Weather {
  readonly delayMs?: number;
  /** Up to so much earlier or later. */
  readonly jitterMs?: number;
  /** Swallowed: the other side waits for ever. */
  readonly drop?: boolean;
  /** A connection is cut when it has carried so many more bytes. */
  readonly cutAfterBytes?: number;
}

/** Acts when bytes pass that hold a pattern: once in each chunk that holds it, however often. */
export interface Trigger {
  readonly on: Direction;
  /** Without it every chunk counts. */
  readonly pattern?: string;
  /** Acts on each n-th match only. */
  readonly every?: number;
  /** Acts at most so many times. */
  readonly times?: number;
  /**
   * `cut before` ends the connection instead of passing the chunk on, `cut after` once it is passed on. `mute up` and `mute
   * down` swallow that direction from this chunk on, and cut the connection `muteMs` later.
   */
  readonly act: "cut before" | "cut after" | "mute up" | "mute down";
  readonly muteMs?: number;
}

export type TcpProxy = Awaited<ReturnType<typeof openProxy>>;

const MUTE_MS = 3_000;

interface Link {
  readonly near: Socket;
  readonly far: Socket;
  readonly muted: Record<Direction, boolean>;
  readonly carried: Record<Direction, number>;
  /** The end of the last chunk: a pattern may lie across two. */
  readonly tail: Record<Direction, string>;
  /** Delayed, in the order in which they came: each timer sends the first of them. */
  readonly waiting: Record<Direction, (() => void)[]>;
  readonly dueAt: Record<Direction, number>;
}

/** Stands between a program and a server, and does to their bytes what a test asks for, from one moment to the next. */
export async function openProxy(target: { host: string; port: number; listen?: number }) {
  const links = new Set<Link>();
  const weather: Record<Direction, Weather> = { up: {}, down: {} };
  const counts = {
    connections: 0,
    refused: 0,
    cut: 0,
    muted: 0,
    matched: 0,
    bytesUp: 0,
    bytesDown: 0,
    dropped: 0,
  };
  let refusing = false;
  let trigger: Trigger | undefined;
  let acted = 0;

  const server = createServer((near) => {
    near.on("error", () => undefined);
    if (refusing) {
      counts.refused += 1;
      near.resetAndDestroy();
      return;
    }
    counts.connections += 1;
    open(near);
  });
  server.listen(target.listen ?? 0, "127.0.0.1");
  await once(server, "listening");

  return {
    port: (server.address() as AddressInfo).port,
    counts,
    /** As if the server were not there: connections end, new ones are cut. */
    refuse(): void {
      refusing = true;
      cutAll();
    },
    /** Everything passes again; a connection that was muted is cut, since bytes of it are missing. */
    pass(): void {
      refusing = false;
      trigger = undefined;
      const wasDropping = weather.up.drop === true || weather.down.drop === true;
      weather.up = weather.down = {};
      for (const link of links) if (wasDropping || link.muted.up || link.muted.down) cut(link);
    },
    /** Holds for bytes that come from now on. */
    set(direction: Direction, now: Weather): void {
      weather[direction] = now;
      for (const link of links) link.carried[direction] = 0;
    },
    trigger(wanted: Trigger | undefined): void {
      trigger = wanted;
      acted = counts.matched = 0;
    },
    /** How often the trigger that is set has acted. */
    acted: () => acted,
    cutAll,
    async close(): Promise<void> {
      const closed = once(server, "close");
      server.close();
      cutAll();
      await closed;
    },
  };

  function open(near: Socket): void {
    const far = connect(target.port, target.host);
    const link: Link = {
      ...{ near, far, muted: { up: false, down: false }, carried: { up: 0, down: 0 } },
      ...{ tail: { up: "", down: "" }, waiting: { up: [], down: [] }, dueAt: { up: 0, down: 0 } },
    };
    links.add(link);
    near.setNoDelay(true);
    far.setNoDelay(true);
    far.on("error", () => undefined);
    near.on("data", (chunk) => {
      carry(link, "up", chunk);
    });
    far.on("data", (chunk) => {
      carry(link, "down", chunk);
    });
    // What was passed on before the end still arrives.
    near.once("close", () => {
      links.delete(link);
      far.destroySoon();
    });
    far.once("close", () => {
      links.delete(link);
      near.destroySoon();
    });
  }

  function carry(link: Link, direction: Direction, chunk: Buffer): void {
    const then = onTrigger(link, direction, chunk);
    if (then === "cut before") {
      cut(link);
      return;
    }
    if (link.muted[direction] || weather[direction].drop) {
      counts.dropped += chunk.length;
      return;
    }
    pass(link, direction, chunk, then === "cut after");
  }

  function pass(link: Link, direction: Direction, chunk: Buffer, last: boolean): void {
    const { delayMs = 0, jitterMs = 0, cutAfterBytes = Infinity } = weather[direction];
    const rest = cutAfterBytes - link.carried[direction];
    const bytes = chunk.length > rest ? chunk.subarray(0, rest) : chunk;
    link.carried[direction] += chunk.length;
    counts[direction === "up" ? "bytesUp" : "bytesDown"] += bytes.length;
    const ending = last || chunk.length >= rest;
    const send = (): void => {
      write(link, direction, bytes, ending);
    };
    const waiting = link.waiting[direction];
    if (delayMs === 0 && waiting.length === 0) {
      send();
      return;
    }
    const now = performance.now();
    const waitMs = Math.max(0, delayMs + jitterMs * (2 * Math.random() - 1));
    // Never before a chunk that came earlier.
    link.dueAt[direction] = Math.max(link.dueAt[direction], now + waitMs);
    waiting.push(send);
    setTimeout(() => waiting.shift()?.(), link.dueAt[direction] - now);
  }

  function write(link: Link, direction: Direction, bytes: Buffer, last: boolean): void {
    const [from, to] = direction === "up" ? [link.near, link.far] : [link.far, link.near];
    if (to.destroyed) return;
    if (last) {
      to.write(bytes, () => {
        cut(link);
      });
    } else if (!to.write(bytes)) {
      from.pause();
      to.once("drain", () => from.resume());
    }
  }

  function onTrigger(link: Link, direction: Direction, chunk: Buffer): Trigger["act"] | undefined {
    if (trigger?.on !== direction || link.muted[direction]) return undefined;
    const { pattern, every = 1, times = Infinity, act, muteMs = MUTE_MS } = trigger;
    if (pattern !== undefined) {
      const text = link.tail[direction] + chunk.toString("latin1");
      const found = text.includes(pattern);
      link.tail[direction] = found ? "" : text.slice(1 - pattern.length);
      if (!found) return undefined;
    }
    counts.matched += 1;
    if (counts.matched % every !== 0 || acted >= times) return undefined;
    acted += 1;
    if (act === "mute up" || act === "mute down") {
      link.muted[act === "mute up" ? "up" : "down"] = true;
      counts.muted += 1;
      setTimeout(cut, muteMs, link).unref();
    }
    return act;
  }

  function cut(link: Link): void {
    if (!links.delete(link)) return;
    counts.cut += 1;
    link.near.resetAndDestroy();
    link.far.resetAndDestroy();
  }

  function cutAll(): void {
    for (const link of links) cut(link);
  }
}
