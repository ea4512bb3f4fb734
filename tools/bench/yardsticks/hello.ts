import { createServer } from "node:http";
import { readWiring } from "./wiring.ts";

/** node:http's hello world: what this machine and the load client are good for, without any work behind it. */
createServer((_req, res) => {
  res.end("hello world");
}).listen(readWiring().port, "127.0.0.1");
