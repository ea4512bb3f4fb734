import { existsSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { lastLineOf, run } from "./command.ts";
import { StackFailure } from "./failure.ts";
import { writePrivately } from "./files.ts";
import { findAll, findPrograms, searchPath, type Found } from "./find-programs.ts";
import type { Home } from "./home.ts";
import { REPOSITORY } from "./home.ts";
import { withLock } from "./lock.ts";
import { describeMissing, missingPrograms, packagesFor, serversMissing, type Program } from "./needs.ts";
import type { Report } from "./report.ts";
import type { ServerName } from "./server.ts";

const INSTALL_DEADLINE_MS = 1_200_000;

/** What the machine lets the launcher do about a missing program. */
export type Machine = { apt: "root" | "sudo" | "no"; docker: boolean };

export type Plan =
  | { kind: "nothing" }
  | { kind: "apt"; packages: string[]; sudo: boolean }
  | { kind: "docker"; servers: ServerName[] }
  | { kind: "tell"; message: string };

export type Provision = { found: Found; docker: ServerName[] };

type Wanted = { servers: ServerName[]; jarsCached: boolean };

/** Pure: which way to go, given what is missing and what the machine allows. */
export function planFor(missing: readonly Program[], machine: Machine): Plan {
  if (missing.length === 0) return { kind: "nothing" };
  if (machine.apt !== "no")
    return { kind: "apt", packages: packagesFor(missing), sudo: machine.apt === "sudo" };
  if (machine.docker) return { kind: "docker", servers: serversMissing(missing) };
  return { kind: "tell", message: describeMissing(missing) };
}

/** Makes sure that every server that is to be started has its program: installed, in a container, or one clear sentence. */
export async function provision(
  home: Home,
  wanted: Wanted,
  env: NodeJS.ProcessEnv,
  report: Report,
): Promise<Provision> {
  const folders = searchPath(env);
  const look = (): Promise<Found> => findPrograms(folders, env);
  const before = await look();
  const missing = missingPrograms(wanted.servers, before, wanted.jarsCached);
  if (missing.length === 0) return { found: before, docker: [] };
  const machine = await inspectMachine(folders);
  const plan = planFor(missing, machine);
  if (plan.kind === "tell") throw new StackFailure(plan.message);
  if (plan.kind === "docker") return inContainers(plan.servers, before, report);
  if (plan.kind === "nothing") return { found: before, docker: [] };

  const complaint = await install(home, plan, report, async () => {
    const now = await look();
    return missingPrograms(wanted.servers, now, wanted.jarsCached).length === 0;
  });
  const after = await look();
  const still = missingPrograms(wanted.servers, after, wanted.jarsCached);
  if (still.length === 0) return { found: after, docker: [] };
  if (machine.docker) return inContainers(serversMissing(still), after, report);
  throw new StackFailure(`${complaint ?? "What apt-get installed is not enough."} ${describeMissing(still)}`);
}

function inContainers(servers: ServerName[], found: Found, report: Report): Provision {
  report(`no program for ${servers.join(", ")} here: using Docker for it`);
  return { found, docker: servers };
}

/** One installation at a time on a machine; the launcher that waited may find everything there. Returns apt's complaint. */
async function install(
  home: Home,
  plan: { packages: string[]; sudo: boolean },
  report: Report,
  isDone: () => Promise<boolean>,
): Promise<string | undefined> {
  const lock = join(tmpdir(), `flashpay-install-${userInfo().username}.lock`);
  return withLock(lock, INSTALL_DEADLINE_MS, async () => {
    if (await isDone()) return undefined;
    const names = plan.packages.map((choice) => choice.replaceAll("|", " or ")).join(", ");
    report(`installing ${names} with apt-get${plan.sudo ? " (sudo)" : ""}; their services are not started`);
    const script = join(REPOSITORY, "tools/stack/apt-install.sh");
    const command = [...(plan.sudo ? ["sudo", "-n"] : []), "sh", script, ...plan.packages];
    const result = await run(command[0] ?? "sh", command.slice(1));
    writePrivately(home.log("apt"), result.output);
    if (result.ok) return undefined;
    const said = lastLineOf(result.output, /^E: /);
    return `apt-get could not install ${names}${said ? `, saying "${said}"` : ""}; its log is ${home.log("apt")}.`;
  });
}

async function inspectMachine(folders: readonly string[]): Promise<Machine> {
  const docker = findAll(folders, "docker").length > 0 && (await run("docker", ["info"])).ok;
  return { apt: await aptRights(folders), docker };
}

/** Whether packages can be installed, and as whom. */
export async function aptRights(folders: readonly string[]): Promise<Machine["apt"]> {
  const hasApt = existsSync("/etc/debian_version") && findAll(folders, "apt-get").length > 0;
  if (!hasApt) return "no";
  if (process.getuid?.() === 0) return "root";
  const sudo = findAll(folders, "sudo").length > 0 && (await run("sudo", ["-n", "true"])).ok;
  return sudo ? "sudo" : "no";
}
