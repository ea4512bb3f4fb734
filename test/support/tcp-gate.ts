import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** Stands between a program and a server; while it is shut, the server is away: connections end, new ones are cut. */
export async function openGate(host: string, port: number) {
  const sockets = new Set<Socket>();
  let open = true;
  const server = createServer((near) => {
    sockets.add(near);
    near.once("close", () => sockets.delete(near));
    near.on("error", () => undefined);
    if (!open) {
      near.destroy();
      return;
    }
    const far = connect(port, host);
    sockets.add(far);
    far.once("close", () => {
      sockets.delete(far);
      near.destroy();
    });
    near.once("close", () => far.destroy());
    far.on("error", () => undefined);
    near.pipe(far);
    far.pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    shut(): void {
      open = false;
      cut();
    },
    reopen(): void {
      open = true;
    },
    async close(): Promise<void> {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
