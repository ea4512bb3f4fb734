import {
  LICENCES,
  LICENCES_BY_HAND,
  LICENCES_OF_TOOLS,
  SCRIPTS_NOT_NEEDED,
  SEPARATE_PROGRAMS,
} from "./policy.ts";

export interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly license?: unknown;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly inBundle?: boolean;
}
export interface LockFile {
  readonly lockfileVersion?: number;
  readonly packages: Readonly<Record<string, LockedPackage>>;
}
export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const EXACT = /^\d+\.\d+\.\d+(-[\w.]+)?$/;
const SHA512 = /^sha512-[A-Za-z0-9+/]{86}==$/;

/** Sentences on what is wrong with what would be installed; empty when nothing is. */
export function problemsOf(lock: LockFile, manifest: Manifest): string[] {
  const packages = Object.entries(lock.packages).filter(([path]) => path !== "");
  return [
    ...(lock.lockfileVersion === 3 ? [] : ["package-lock.json is not of version 3"]),
    ...inexact(manifest, lock),
    ...packages.flatMap(([path, locked]) => [
      ...unsealed(path, locked),
      ...scripted(nameOf(path), locked),
      ...unlicensed(nameOf(path), locked),
    ]),
  ];
}

/** What package.json asks for is one version, and the one that is locked. */
function inexact({ dependencies, devDependencies }: Manifest, lock: LockFile): string[] {
  return Object.entries({ ...dependencies, ...devDependencies }).flatMap(([name, version]) => {
    if (!EXACT.test(version)) return [`package.json asks for ${name} ${version}, which is not one version`];
    const locked = lock.packages[`node_modules/${name}`]?.version;
    return locked === version ? [] : [`${name} is locked at ${locked ?? "nothing"}, not at ${version}`];
  });
}

function unsealed(path: string, { version, integrity = "", resolved, inBundle }: LockedPackage): string[] {
  if (!inBundle && !SHA512.test(integrity)) return [`${path} ${version ?? ""} has no SHA-512 of its content`];
  return resolved === undefined ? [] : [`${path} is bound to an address: ${resolved}`];
}

function scripted(name: string, { hasInstallScript }: LockedPackage): string[] {
  if (!hasInstallScript || Object.hasOwn(SCRIPTS_NOT_NEEDED, name)) return [];
  return [`${name} has an install script, and nobody has said why it need not run`];
}

function unlicensed(name: string, { license, dev = false, devOptional = false }: LockedPackage): string[] {
  const said = LICENCES_BY_HAND[name] ?? (typeof license === "string" ? license : "none");
  const tool = dev || devOptional;
  if (LICENCES.has(said) || (tool && LICENCES_OF_TOOLS.has(said))) return [];
  if (tool && SEPARATE_PROGRAMS[name] === said) return [];
  return [`${name} has the licence ${said}, which is not on the list for ${tool ? "tools" : "production"}`];
}

/** "node_modules/a/node_modules/@b/c" is @b/c. */
const nameOf = (path: string): string =>
  path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
