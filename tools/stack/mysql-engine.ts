import { renameSync, rmSync, mkdirSync, existsSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { run, type CommandResult } from "./command.ts";
import { StackFailure } from "./failure.ts";
import { readStrings, writeJson } from "./files.ts";
import type { Home } from "./home.ts";
import type { Secrets } from "./secrets.ts";

/** Which of the two relatives a `mysqld` is. */
export type Engine = { program: string; kind: "MySQL" | "MariaDB"; version: string };

export const DATABASE = "flashpay";
/** Owns the tables: migrations, tools. The programs have accounts of their own. */
export const DATABASE_USER = "flashpay";
export const API_USER = "flashpay_api";
export const WORKER_USER = "flashpay_worker";

const STAMP = "stamp.json";

export function parseEngine(program: string, output: string): Engine | undefined {
  const version = /Ver (\d+\.\d+\.\d+)/.exec(output)?.[1];
  if (version === undefined) return undefined;
  return { program, kind: /mariadb/i.test(output) ? "MariaDB" : "MySQL", version };
}

/**
 * Options of every start. The socket's path is relative to the data: an absolute one may pass the limit of 107 bytes.
 * The folder for temporary tables is the server's own: at its start a server deletes all that it finds there, and in a
 * shared one these are the tables that other servers' queries are using.
 */
export function serverOptions(engine: Engine, data: string): string[] {
  const temporary = join(dirname(data), "tmp");
  mkdirSync(temporary, { recursive: true, mode: 0o700 });
  const asRoot = process.getuid?.() === 0 ? ["--user=root"] : [];
  const ofMysql = engine.kind === "MySQL" ? ["--mysqlx=OFF"] : [];
  return ["--no-defaults", `--datadir=${data}`, `--tmpdir=${temporary}`, ...asRoot, ...ofMysql];
}

/**
 * Makes the data folder in a place of its own and moves it there when it is whole, so that a launcher killed in between
 * leaves nothing that looks like a database. The stamp says who made it: another engine's files are not to be touched.
 */
export async function prepareData(home: Home, engine: Engine): Promise<string> {
  const folder = home.at("mysql");
  if (existsSync(folder)) {
    const complaint = dataComplaint(folder, engine, readStrings(join(folder, STAMP)));
    if (complaint !== undefined) throw new StackFailure(complaint);
    writeStamp(folder, engine);
    return join(folder, "data");
  }
  const unfinished = home.at("mysql.unfinished");
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  const result = await initialise(engine, join(unfinished, "data"), home.log("mysql-install"));
  if (!result.ok) {
    throw new StackFailure(
      `${engine.kind} could not make its data folder: see ${home.log("mysql-install")}.`,
    );
  }
  writeStamp(unfinished, engine);
  renameSync(unfinished, folder);
  return join(folder, "data");
}

/** Why these data cannot be opened by this engine, if so. Undefined: they can. */
export function dataComplaint(
  folder: string,
  engine: Engine,
  stamp: Partial<Record<string, string>>,
): string | undefined {
  const { kind, version } = stamp;
  const away = `move ${folder} away to begin with an empty database`;
  if (kind === undefined || version === undefined) return `${folder} was not made by FlashPay: ${away}.`;
  if (kind !== engine.kind) {
    return `${folder} was made by ${kind} ${version}, but ${engine.kind} ${engine.version} is what is installed: install ${kind}, or ${away}.`;
  }
  if (release(version) > release(engine.version)) {
    return `${folder} was made by ${kind} ${version}, newer than the installed ${engine.version}: install the newer one, or ${away}.`;
  }
  return undefined;
}

/** Run by the server at each start before it lets anybody in: one statement per line, each harmless when repeated. */
export function initStatements(secrets: Secrets): string {
  const account = (name: string, password: string): string[] => [
    `CREATE USER IF NOT EXISTS ${name}`,
    `ALTER USER ${name} IDENTIFIED BY '${password}'`,
  ];
  const user = `'${DATABASE_USER}'@'127.0.0.1'`;
  return [
    `CREATE DATABASE IF NOT EXISTS ${DATABASE} CHARACTER SET utf8mb4`,
    ...account("'root'@'localhost'", secrets.mysqlRootPassword),
    ...account("'root'@'127.0.0.1'", secrets.mysqlRootPassword),
    "GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION",
    "DROP USER IF EXISTS 'root'@'::1'",
    ...(hostname() === "localhost"
      ? []
      : [`DROP USER IF EXISTS 'root'@'${hostname().replaceAll(/[^\w.-]/g, "")}'`]),
    ...account(user, secrets.mysqlPassword),
    // Tests make databases of their own beside it, named flashpay_…; the programs' rights are the owner's to give.
    `GRANT ALL PRIVILEGES ON \`${DATABASE}%\`.* TO ${user} WITH GRANT OPTION`,
    ...account(`'${API_USER}'@'%'`, secrets.mysqlApiPassword),
    ...account(`'${WORKER_USER}'@'%'`, secrets.mysqlWorkerPassword),
    "",
  ].join(";\n");
}

function initialise(engine: Engine, data: string, log: string): Promise<CommandResult> {
  const options = serverOptions(engine, data);
  if (engine.kind === "MySQL")
    return run(engine.program, [...options, "--initialize-insecure"], { output: { log } });
  const beside = join(dirname(engine.program), "mariadb-install-db");
  const installer =
    [beside, beside.replace("/sbin/", "/bin/")].find((path) => existsSync(path)) ?? "mariadb-install-db";
  const plain = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"];
  return run(installer, [...options, ...plain], { output: { log } });
}

function writeStamp(folder: string, { kind, version }: Engine): void {
  writeJson(join(folder, STAMP), { kind, version });
}

/** "10.11.19" → a number that orders releases; the last part is a patch, and those go both ways. */
function release(version: string): number {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major * 1000 + minor;
}
