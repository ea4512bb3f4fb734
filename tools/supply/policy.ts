/** Licences under which a package may be part of what runs in production (SPDX). */
export const LICENCES = new Set([
  "MIT",
  "ISC",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "Python-2.0",
]);

/** Beyond these, for what only tests, builds or starts processes: it is never linked into the programs. */
export const LICENCES_OF_TOOLS = new Set([
  "0BSD",
  "MPL-2.0",
  "PSF-2.0",
  "Unlicense",
  "WTFPL",
  "(MIT AND Zlib)",
]);

/** Packages whose package.json says nothing that a lock file can carry, or offers a choice; read in their own files. */
export const LICENCES_BY_HAND: Readonly<Record<string, string>> = {
  "@pm2/js-api": "Apache-2.0",
  "cli-tableau": "MIT",
  "compute-gcd": "MIT",
  "compute-lcm": "MIT",
  httpntlm: "MIT",
  "json-schema": "BSD-3-Clause",
  "node-forge": "BSD-3-Clause",
  "passport-strategy": "MIT",
  pause: "MIT",
  "stack-trace": "MIT",
  tv4: "Unlicense",
  "validate.io-function": "MIT",
  "validate.io-integer": "MIT",
  "validate.io-integer-array": "MIT",
  "validate.io-number": "MIT",
};

/** Run as programs of their own beside ours, and not passed on with ours. */
export const SEPARATE_PROGRAMS: Readonly<Record<string, string>> = { pm2: "AGPL-3.0" };

/** Packages with an install script, and why nothing is missing when it does not run (.npmrc: ignore-scripts). */
export const SCRIPTS_NOT_NEEDED: Readonly<Record<string, string>> = {
  "@scarf/scarf": "it reports the installation to its maker, and does nothing else",
  esbuild: "it looks for its binary, which is an optional package of its own",
};
