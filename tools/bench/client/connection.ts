import { connect, type Socket } from "node:net";
import { readAnswer } from "./answer.ts";

const READ_BUFFER_BYTES = 65_536;
/** A server that closes on us again and again is a finding, not a reason to try for ever. */
const RECONNECTS_MAX = 1_000;

export interface Connection {
  send(request: string): void;
  close(): void;
}

export interface ConnectionEvents {
  readonly onConnect: () => void;
  /** The request that was sent is answered; "lost": its connection ended first. The connection is free again. */
  readonly onOutcome: (outcome: string) => void;
  readonly onBroken: (error: Error) => void;
}

/**
 * A kept connection with one request under way at a time. A bare socket and not node:http: what the client costs is taken
 * from the servers that share its cores.
 */
export function openConnection(address: string, events: ConnectionEvents): Connection {
  const [host = "127.0.0.1", port] = address.split(":");
  const buffer = Buffer.allocUnsafe(READ_BUFFER_BYTES);
  let received = "";
  let waiting = false;
  let wanted = true;
  let reconnects = 0;
  let cause: Error | undefined;
  let socket = open();
  return {
    send(request) {
      waiting = true;
      socket.write(request, "latin1");
    },
    close() {
      wanted = false;
      socket.destroy();
    },
  };

  function open(): Socket {
    const opened = connect({
      host,
      port: Number(port),
      noDelay: true,
      onread: { buffer, callback: (bytes) => (onData(bytes), true) },
    });
    opened.once("connect", events.onConnect);
    opened.on("error", (error) => {
      cause = error;
    });
    opened.once("close", onClose);
    return opened;
  }

  function onData(bytes: number): void {
    const text = buffer.toString("latin1", 0, bytes);
    received = received === "" ? text : received + text;
    const answer = readAnswer(received);
    if (answer === undefined) return;
    received = received.length === answer.length ? "" : received.slice(answer.length);
    waiting = false;
    events.onOutcome(answer.outcome);
  }

  function onClose(): void {
    if (!wanted) return;
    reconnects += 1;
    if (reconnects > RECONNECTS_MAX) {
      events.onBroken(cause ?? new Error(`${address} closed ${RECONNECTS_MAX} times`));
      return;
    }
    received = "";
    socket = open();
    if (!waiting) return;
    waiting = false;
    events.onOutcome("lost");
  }
}
