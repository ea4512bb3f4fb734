import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { expect } from "chai";
import { openProxy, type TcpProxy } from "./support/tcp-proxy.ts";
import { until } from "./support/until.ts";

const SOON_MS = 2_000;

describe("the TCP proxy", () => {
  let server: Server;
  let proxy: TcpProxy;
  let heard: string;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    heard = "";
    // Says back what it hears.
    server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", (chunk) => {
        heard += chunk.toString();
        socket.write(chunk);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    proxy = await openProxy({ host: "127.0.0.1", port: (server.address() as AddressInfo).port });
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await proxy.close();
    server.close();
    await once(server, "close");
  });

  async function caller() {
    const socket = connect(proxy.port, "127.0.0.1");
    sockets.push(socket);
    const state = { text: "", ended: false, say: (text: string) => socket.write(text) };
    socket.on("data", (chunk) => (state.text += chunk.toString()));
    socket.on("error", () => undefined);
    socket.once("close", () => (state.ended = true));
    await until("it is connected, or cut", () => !socket.connecting, SOON_MS, 1);
    return state;
  }
  const hears = (state: { text: string }, text: string) =>
    until(`"${text}" is heard`, () => state.text === text, SOON_MS, 5);
  const ends = (state: { ended: boolean }) => until("it is cut", () => state.ended, SOON_MS, 5);

  it("passes bytes both ways, and counts them", async () => {
    const one = await caller();
    one.say("hello");
    await hears(one, "hello");
    expect(proxy.counts).to.include({ connections: 1, bytesUp: 5, bytesDown: 5, cut: 0 });
  });

  it("passes a megabyte on whole", async () => {
    const one = await caller();
    const text = "0123456789abcdef".repeat(65_536);
    one.say(text);
    await hears(one, text);
  });

  it("refuses: connections end, new ones are cut, until it passes again", async () => {
    const one = await caller();
    one.say("a");
    await hears(one, "a");
    proxy.refuse();
    await ends(one);
    await ends(await caller());
    proxy.pass();
    const two = await caller();
    two.say("b");
    await hears(two, "b");
  });

  it("delays, and keeps the order of what it delays differently", async () => {
    const one = await caller();
    proxy.set("down", { delayMs: 60, jitterMs: 50 });
    const at = performance.now();
    for (const letter of "abcdefgh") {
      one.say(letter);
      await until("the server has it", () => heard.endsWith(letter), SOON_MS, 1);
    }
    await hears(one, "abcdefgh");
    expect(performance.now() - at).to.be.greaterThan(10);
  });

  it("drops one direction only: what goes up arrives, what comes down does not", async () => {
    const one = await caller();
    proxy.set("down", { drop: true });
    one.say("lost");
    await until("the server has it", () => heard === "lost", SOON_MS, 5);
    expect(one.text).to.equal("");
    expect(proxy.counts.dropped).to.be.at.most(4);
    proxy.pass();
    await ends(one); // bytes of it are missing, so it is of no use any more
  });

  it("cuts after so many bytes", async () => {
    const one = await caller();
    proxy.set("up", { cutAfterBytes: 3 });
    one.say("abcdef");
    await ends(one);
    await until("the first three arrived", () => heard === "abc", SOON_MS, 5);
  });

  for (const [act, arrives] of [
    ["cut before", ""],
    ["cut after", "a COMMIT"],
  ] as const) {
    it(`${act}: at a pattern, ${arrives ? "which still arrives" : "which does not arrive"}`, async () => {
      const one = await caller();
      proxy.trigger({ on: "up", pattern: "COMMIT", act });
      one.say("a COMMIT");
      await ends(one);
      await until("the server heard as much", () => heard === arrives, SOON_MS, 5);
      expect(proxy.acted()).to.equal(1);
    });
  }

  it("finds a pattern that lies across two chunks", async () => {
    const one = await caller();
    proxy.trigger({ on: "up", pattern: "COMMIT", act: "cut before" });
    one.say("COM");
    await until("the first half arrived", () => heard === "COM", SOON_MS, 5);
    one.say("MIT");
    await ends(one);
    expect(heard).to.equal("COM");
  });

  it("acts on each n-th match, and no more often than it is told", async () => {
    proxy.trigger({ on: "up", pattern: "x", every: 3, times: 1, act: "cut before" });
    const one = await caller();
    for (const [i, text] of ["x", "xx"].entries()) {
      one.say("x");
      await hears(one, text);
      expect(proxy.counts.matched).to.equal(i + 1);
    }
    one.say("x");
    await ends(one);
    const two = await caller();
    for (const text of ["x", "xx", "xxx"]) {
      two.say("x");
      await hears(two, text);
    }
    expect(proxy.acted()).to.equal(1);
  });

  it("mutes the answer of a request that arrived, and cuts the connection a while later", async () => {
    const one = await caller();
    proxy.trigger({ on: "up", pattern: "send", times: 1, act: "mute down", muteMs: 50 });
    one.say("send");
    await ends(one);
    expect([heard, one.text]).to.deep.equal(["send", ""]);
    expect(proxy.counts).to.include({ muted: 1, cut: 1 });
  });
});
