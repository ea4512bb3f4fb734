// The first thing that runs, on a machine where nothing may be installed yet: plain JavaScript without a dependency.
// It sees to node_modules, then hands over to tools/<command>.ts.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PROGRAMS = [
  "start",
  "test",
  "verify",
  "admin",
  "db-rights",
  "jmeter",
  "postman",
  "faults",
  "soak",
  "fuzz",
  "simulation",
  "mutants",
  "bench",
  "report",
  "screenshots",
];
const NODE_MIN = [20, 19];
const LOCK_DEADLINE_MS = 600_000;
const LOCK_POLL_MS = 200;
/** A lock without a pid is being made this very moment, or its maker was killed in it. */
const UNSIGNED_MAX_MS = 5_000;
/** A Ctrl-C arrives twice, from the terminal and from npm; only a later one means "now". */
const SAME_SIGNAL_MS = 500;

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [command, ...rest] = process.argv.slice(2);

refuseOldNode();
if (!PROGRAMS.includes(command)) stop(`Usage: node tools/bootstrap.mjs ${PROGRAMS.join("|")} [arguments]`);
installWhenNeeded();
handOver(join(root, `tools/${command}.ts`), rest);

function refuseOldNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return;
  stop(`FlashPay needs Node.js ${NODE_MIN.join(".")} or newer; this is ${process.versions.node}.`);
}

function installWhenNeeded() {
  if (isInstalled()) return;
  const unlock = lock(join(root, ".flashpay/npm-ci.lock"));
  try {
    if (isInstalled()) return; // the neighbour that we waited for has done it
    console.log("installing the packages of package-lock.json (npm ci)");
    const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ["npm"];
    // NODE_ENV=production would leave out what compiles and tests.
    const args = [...npm.slice(1), "ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
    const { status } = spawnSync(npm[0], args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
    if (status !== 0) stop("npm ci failed: its own words are above.");
  } finally {
    unlock();
  }
}

/** Compares versions, not times: npm's own record of what it installed against what the lock file asks for. */
function isInstalled() {
  try {
    const wanted = packagesOf(join(root, "package-lock.json"));
    const present = packagesOf(join(root, "node_modules/.package-lock.json"));
    return Object.entries(wanted).every(
      ([path, { version, optional, devOptional, link }]) =>
        path === "" || optional || devOptional || link || present[path]?.version === version,
    );
  } catch {
    return false;
  }
}

function packagesOf(file) {
  return JSON.parse(readFileSync(file, "utf8")).packages;
}

/** Two `npm test` in one clone must not run `npm ci` into each other. A lock whose owner is dead counts for nothing. */
function lock(folder) {
  mkdirSync(dirname(folder), { recursive: true, mode: 0o700 });
  const unlock = () => rmSync(folder, { recursive: true, force: true });
  const end = Date.now() + LOCK_DEADLINE_MS;
  for (;;) {
    try {
      mkdirSync(folder);
      writeFileSync(join(folder, "pid"), String(process.pid));
      process.once("exit", unlock);
      return unlock;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (!ownerLives(folder)) unlock();
    else if (Date.now() > end)
      stop(`Another npm ci has held ${folder} for too long: end it, or remove the folder.`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_POLL_MS);
  }
}

function ownerLives(folder) {
  const file = join(folder, "pid");
  if (!existsSync(file))
    return Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0) < UNSIGNED_MAX_MS;
  try {
    process.kill(Number(readFileSync(file, "utf8")), 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/**
 * The child stands in a process group of its own, so that it hears each Ctrl-C once, from here; it notices by the closed
 * channel when this process is killed.
 */
function handOver(file, args) {
  const child = spawn(process.execPath, ["--import", "tsx", file, ...args], {
    cwd: root,
    detached: true,
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  let heardAt = -Infinity;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      const now = performance.now();
      if (now - heardAt > SAME_SIGNAL_MS) child.kill(signal);
      heardAt = now;
    });
  }
  child.once("error", (error) => stop(`Node.js could not be started again: ${error.message}`));
  child.once("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

function stop(sentence) {
  console.error(sentence);
  process.exit(1);
}
