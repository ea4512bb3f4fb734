import { lasting, type World } from "../world.ts";
import { targetOf, type Fault, type Step } from "./plan.ts";

const LATENCY = { delayMs: 200, jitterMs: 150 };

/** Brings the faults of a plan about, each at its time; resolves when all are over. */
export async function bringAbout(
  world: World,
  plan: readonly Step[],
  onFault: (step: Step) => void,
): Promise<void> {
  const startedAt = performance.now();
  const busy = new Map<string, Promise<void>>();
  for (const step of plan) {
    await lasting(Math.max(0, startedAt + step.atMs - performance.now()));
    const target = targetOf(step.fault);
    const before = busy.get(target) ?? Promise.resolve();
    busy.set(
      target,
      before.then(() => {
        onFault(step);
        return happen(world, step);
      }),
    );
  }
  await Promise.all(busy.values());
}

async function happen(world: World, { fault, lastsMs }: Step): Promise<void> {
  switch (fault.kind) {
    case "program":
      await toProgram(world, fault, lastsMs);
      return;
    case "server":
      await toServer(world, fault, lastsMs);
      return;
    case "latency": {
      const proxy = world.proxy(fault.program, fault.server);
      proxy.set("down", LATENCY);
      await lasting(lastsMs);
      proxy.set("down", {});
      return;
    }
    case "cut":
      world.proxy(fault.program, fault.server).cutAll();
      return;
    case "forget":
      await world.redis.flushall();
  }
}

/** What ends is started again by its keeper. */
async function toProgram(world: World, fault: Fault & { kind: "program" }, lastsMs: number): Promise<void> {
  const keeper = (fault.program === "api" ? world.apis : world.workers)[fault.which];
  if (!keeper) return;
  if (fault.how === "freeze") {
    keeper.kill("SIGSTOP");
    await lasting(lastsMs);
    keeper.kill("SIGCONT");
  } else keeper.kill(fault.how === "kill" ? "SIGKILL" : "SIGTERM");
}

async function toServer(world: World, fault: Fault & { kind: "server" }, lastsMs: number): Promise<void> {
  const server = world.servers[fault.server];
  if (fault.how === "freeze") {
    server.kill("SIGSTOP");
    await lasting(lastsMs);
    server.kill("SIGCONT");
    return;
  }
  if (fault.how === "stop") await server.stop();
  else {
    server.kill("SIGKILL");
    await server.exited();
  }
  await lasting(lastsMs);
  await server.restart();
}
