import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect } from "chai";
import type Joi from "joi";
import { apiSettings, loadApiConfig } from "../api/config.ts";
import { configServerSettings } from "../shared/config-server/settings.ts";
import { loadWorkerConfig, workerSettings } from "../worker/config.ts";

interface Setting {
  readonly name: string;
  readonly value: string;
  /** The line above it. */
  readonly above: string;
}

interface Described {
  readonly keys: Readonly<
    Record<string, { readonly flags?: { readonly default?: string | number; readonly presence?: string } }>
  >;
}

const SECRETS = [
  "SPRING_CONFIG_PASSWORD",
  "MYSQL_PASSWORD",
  "KAFKA_SASL_PASSWORD",
  "JWT_SECRET",
  "JWT_SECRET_PREVIOUS",
];

describe(".env.example", () => {
  const settings = parse(readFileSync(".env.example", "utf8"));
  const valueOf = new Map(settings.map(({ name, value }) => [name, value]));
  const described = { ...keysOf(configServerSettings), ...keysOf(workerSettings), ...keysOf(apiSettings) };

  it("lists every setting of both programs once, in the order of the schemas", () => {
    const wanted = [
      ...new Set(
        [configServerSettings, apiSettings, workerSettings].flatMap((schema) => Object.keys(keysOf(schema))),
      ),
    ];
    expect(settings.map(({ name }) => name)).to.deep.equal(wanted);
  });

  it("says of every setting what it is", () => {
    const bare = settings.filter(({ above }) => !/^# .*\w.*\w/.test(above)).map(({ name }) => name);
    expect(bare).to.deep.equal([]);
  });

  it("shows the defaults of the schemas", () => {
    for (const [name, { flags }] of Object.entries(described)) {
      if (flags?.default !== undefined) expect(valueOf.get(name), name).to.equal(String(flags.default));
    }
  });

  it("has no value for a secret", () => {
    for (const name of SECRETS) expect(valueOf.get(name), name).to.equal("");
    expect(readFileSync(".env.example", "utf8")).not.to.match(/:\/\/[^\s/]*:(?!password@)[^\s/]*@/);
  });

  it("starts both programs in production once the secrets are filled in", () => {
    const secrets = Object.fromEntries(SECRETS.map((name) => [name, randomBytes(48).toString("base64url")]));
    const env = { ...Object.fromEntries(valueOf), ...secrets };
    for (const config of [loadApiConfig(env), loadWorkerConfig(env)]) {
      expect(config.NODE_ENV).to.equal("production");
      for (const [name, value] of Object.entries(config)) expect(String(value), name).to.equal(env[name]);
    }
    expect(loadApiConfig({ ...secrets, ...required(described, env) })).to.deep.equal(loadApiConfig(env));
  });
});

function keysOf(schema: Joi.ObjectSchema): Described["keys"] {
  return (schema.describe() as Described).keys;
}

/** Only what has no default: the rest must come out the same without the file's help. */
function required(described: Described["keys"], env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names = Object.keys(described).filter((name) => described[name]?.flags?.presence === "required");
  return Object.fromEntries(names.map((name) => [name, env[name]]));
}

function parse(text: string): Setting[] {
  const lines = text.split("\n");
  return lines.flatMap((line, i) => {
    const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [{ name, value, above: lines[i - 1] ?? "" }];
  });
}
