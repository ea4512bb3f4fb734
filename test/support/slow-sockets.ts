import { once } from "node:events";
import { connect, type Socket } from "node:net";

const BYTE_EVERY_MS = 1_000;
const HEAD = "GET /api/products HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
/** A whole head; its body would take a quarter of an hour. */
const BODY_HEAD =
  "POST /api/users/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";

export type Slowness = "head" | "body";

interface SlowSocket {
  readonly socket: Socket;
  readonly openedAt: number;
  closedAt?: number;
  answer: string;
}

export type SlowSockets = Awaited<ReturnType<typeof openSlowSockets>>;

/** Opens so many connections, each of which sends a byte of its request's head or body a second, and never ends it. */
export async function openSlowSockets(url: string, count: number, slowness: Slowness = "head") {
  const { hostname, port } = new URL(url);
  const sockets = await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect(Number(port), hostname);
      await once(socket, "connect");
      return slowed(socket);
    }),
  );
  const bytes = slowness === "head" ? HEAD : BODY_HEAD;
  // All at once within a second, as a script would: the server's sweep finds them together.
  let sent = slowness === "head" ? 0 : bytes.length;
  if (slowness === "body") for (const { socket } of sockets) socket.write(bytes);
  const timer = setInterval(() => {
    const byte = bytes[sent] ?? "x";
    sent += 1;
    for (const { socket } of sockets) if (socket.writable) socket.write(byte);
  }, BYTE_EVERY_MS);
  const lives = () => sockets.map(({ openedAt, closedAt = performance.now() }) => closedAt - openedAt);
  return {
    open: () => sockets.filter(({ closedAt }) => closedAt === undefined).length,
    /** Of the longest life, also of one that lasts still. */
    longestMs: () => Math.max(...lives()),
    answers: () => sockets.map(({ answer }) => answer),
    close: () => {
      clearInterval(timer);
      for (const { socket } of sockets) socket.destroy();
    },
  };
}

function slowed(socket: Socket): SlowSocket {
  const slow: SlowSocket = { socket, openedAt: performance.now(), answer: "" };
  socket.on("data", (data: Buffer) => {
    slow.answer += data.toString();
  });
  socket.on("error", () => undefined); // "close" follows
  socket.once("close", () => {
    slow.closedAt = performance.now();
  });
  return slow;
}
