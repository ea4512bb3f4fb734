import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { validate, ValidationSeverity } from "dockerfile-utils";
import type Joi from "joi";
import { parse } from "yaml";
import { apiSettings } from "../api/config.ts";
import { mysqlSettings, sharedSettings } from "../shared/config.ts";
import { rightsSettings } from "../tools/rights/settings.ts";
import { run } from "../tools/stack/command.ts";
import { topicConfigs } from "../tools/stack/topics.ts";
import { workerSettings } from "../worker/config.ts";

const COMPOSE = "docker/compose.yml";
/** A tag with the whole version, and perhaps what it stands on: 20.19.5-bookworm-slim. */
const PINNED = /^[a-z0-9./-]+:v?\d+\.\d+\.\d+(-[a-z0-9.-]+)?$/;
/** What tools/stack/docker.ts sets, before any of the other settings is known. */
const LAUNCHER = [
  "FLASHPAY_KAFKA_PORT",
  "FLASHPAY_MYSQL_PORT",
  "FLASHPAY_REDIS_PORT",
  "MYSQL_API_PASSWORD",
  "MYSQL_PASSWORD",
  "MYSQL_ROOT_PASSWORD",
  "MYSQL_WORKER_PASSWORD",
  "REDIS_PASSWORD",
];
/** The order that is read best is the order of starting; dclint would have the alphabet. */
const LINT_RULES = {
  "service-keys-order": 0,
  "services-alphabetical-order": 0,
  "service-dependencies-alphabetical-order": 0,
  "top-level-properties-order": 0,
  "require-quotes-in-ports": [1, { quoteType: "double" }],
} as const;

/** Its types are written for bundlers; Node.js' own resolution does not find them. */
const { DCLinter } = createRequire(import.meta.url)("dclint") as {
  readonly DCLinter: new (config: object) => {
    lintFiles(paths: string[], recursive: boolean): { messages: { line: number; message: string }[] }[];
  };
};

interface Service {
  readonly image?: string;
  readonly profiles?: readonly string[];
  readonly build?: { readonly context: string; readonly dockerfile: string; readonly target: string };
  readonly command?: string | readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: object;
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly environment: string }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

interface Stage {
  readonly name: string;
  readonly from: string;
  readonly lines: readonly string[];
}

describe("docker/Dockerfile", () => {
  const text = readFileSync("docker/Dockerfile", "utf8");
  const stages = stagesOf(text);
  const whole = (name: string): string[] => {
    const stage = stages.find((candidate) => candidate.name === name);
    return stage ? [...whole(stage.from), ...stage.lines] : [];
  };
  const last = (name: string, instruction: string): string | undefined =>
    whole(name)
      .filter((line) => line.startsWith(`${instruction} `))
      .at(-1)
      ?.slice(instruction.length + 1);

  it("has nothing that a linter objects to", () => {
    const problems = validate(text, { deprecatedMaintainer: ValidationSeverity.ERROR });
    expect(problems.map(({ message, range }) => [range.start.line + 1, message])).to.deep.equal([]);
  });

  it("has a target for each program and one for the migrations", () => {
    expect(stages.map(({ name }) => name)).to.include.members(["api", "worker", "migrate"]);
  });

  it("stands on base images of an exact version, of the Node.js that package.json asks for", () => {
    const names = new Set(stages.map(({ name }) => name));
    const foreign = stages.map(({ from }) => from).filter((from) => !names.has(from));
    expect(foreign).to.have.length.above(0);
    for (const image of foreign)
      expect(image)
        .to.match(PINNED)
        .and.match(/^node:20\.(19|[2-9]\d)\./);
  });

  it("copies only what exists and what .dockerignore lets through", () => {
    const ignore = readFileSync(".dockerignore", "utf8").split("\n");
    const copies = stages
      .flatMap(({ lines }) => lines)
      .filter((line) => /^(COPY|ADD) (?!--from=)/.test(line));
    expect(copies).to.have.length.above(0);
    for (const source of copies.flatMap((line) => line.split(" ").slice(1, -1))) {
      expect(existsSync(source), source).to.equal(true);
      expect(ignore, source).to.include(`!${source}`);
    }
    expect(ignore.find((line) => line !== "" && !line.startsWith("#"))).to.equal("*");
  });

  it("copies from a stage only what that stage has made", () => {
    const froms = stages.flatMap(({ lines }) => lines).filter((line) => line.startsWith("COPY --from="));
    for (const line of froms) {
      const [, stage = "", path = ""] = /^COPY --from=(\S+) \/app\/(\S+) /.exec(line) ?? [];
      expect(whole(stage), line).not.to.deep.equal([]);
      if (path !== "node_modules") expect(path).to.match(/^dist\/(api|worker|shared|migrations)$/);
      if (path.startsWith("dist/")) expect(statSync(path.slice("dist/".length)).isDirectory()).to.equal(true);
    }
  });

  for (const program of ["api", "worker"] as const) {
    it(`${program}: has the packages of production, its own code and no other program's`, () => {
      const lines = whole(program);
      expect(whole("dependencies").join("\n")).to.contain("npm ci --omit=dev");
      expect(lines).to.include("COPY --from=dependencies /app/node_modules node_modules");
      for (const path of [program, "shared", "migrations"]) {
        expect(lines).to.include(`COPY --from=build /app/dist/${path} dist/${path}`);
      }
      const other = program === "api" ? "worker" : "api";
      expect(lines.join("\n")).not.to.match(new RegExp(`/${other} |/tools |RUN npm`));
    });

    it(`${program}: is Node.js itself as the first process, told to stop by SIGTERM`, () => {
      expect(JSON.parse(last(program, "CMD") ?? "")).to.deep.equal(["node", `dist/${program}/main.js`]);
      expect(whole(program).some((line) => line.startsWith("ENTRYPOINT"))).to.equal(false);
      expect(last(program, "STOPSIGNAL")).to.equal("SIGTERM");
    });

    it(`${program}: is asked for its health by Node.js, at its own port`, () => {
      const [, exec = ""] = /CMD (\[.*\])$/.exec(last(program, "HEALTHCHECK") ?? "") ?? [];
      const [command, flag, script] = JSON.parse(exec) as string[];
      expect([command, flag]).to.deep.equal(["node", "-e"]);
      const port = program === "api" ? "PORT" : "WORKER_PORT";
      expect(script).to.contain(`\${process.env.${port}}/healthz`);
      expect(last(program, "ENV")).to.match(new RegExp(`\\b${port}=${last(program, "EXPOSE") ?? ""}$`));
    });
  }

  it("runs nothing as root", () => {
    for (const target of ["api", "worker", "migrate"]) expect(last(target, "USER")).to.equal("node");
  });

  it("migrates with the exact tool of package-lock.json", () => {
    const [command, cli = "", ...rest] = JSON.parse(last("migrate", "CMD") ?? "") as string[];
    expect([command, ...rest]).to.deep.equal(["node", "db:migrate"]);
    expect(existsSync(cli)).to.equal(true);
    expect(whole("migrate")).to.include.members(["RUN npm ci --include=dev", "COPY migrations migrations"]);
  });
});

describe(COMPOSE, () => {
  const text = readFileSync(COMPOSE, "utf8");
  const { services, secrets, volumes } = parse(text, { merge: true }) as Compose;
  const service = (name: string): Service => services[name] ?? {};
  const own = ["api", "worker", "migrate"];
  const monitoring = ["prometheus", "grafana"];

  it("has nothing that a linter objects to, and fits the Compose specification", () => {
    const linter = new DCLinter({ rules: { ...LINT_RULES }, quiet: false, debug: false, exclude: [] });
    const [result] = linter.lintFiles([COMPOSE], false);
    expect(result?.messages.map(({ line, message }) => `${line}: ${message}`)).to.deep.equal([]);
  });

  it("is understood by docker compose itself", async function () {
    const settings = {
      ...process.env,
      ...Object.fromEntries(LAUNCHER.map((name, i) => [name, String(2_000 + i)])),
    };
    if (!(await run("docker", ["compose", "version"], { env: settings })).ok) {
      process.stdout.write("      docker compose is not installed here: its own check is skipped\n");
      this.skip();
    }
    const result = await run("docker", ["compose", "-f", COMPOSE, "config", "--quiet"], { env: settings });
    expect(result).to.deep.equal({ ok: true, output: "" });
  }).timeout(60_000);

  it("pins every image, and builds its own from the targets of the Dockerfile", () => {
    for (const [name, { image, build }] of Object.entries(services)) {
      if (own.includes(name)) {
        expect(build, name).to.deep.equal({ context: "..", dockerfile: "docker/Dockerfile", target: name });
      } else expect(image, name).to.match(PINNED);
    }
    expect(Object.keys(services).sort()).to.deep.equal(
      [...own, "kafka", "mysql", "redis", "topics", ...monitoring].sort(),
    );
  });

  for (const [name, schema] of [
    ["api", apiSettings.describe() as Described],
    ["worker", workerSettings.describe() as Described],
    ["migrate", { keys: { ...describeAll({ ...sharedSettings, ...mysqlSettings, ...rightsSettings }) } }],
  ] as const) {
    it(`gives ${name} settings that it knows, and all that it needs`, () => {
      const given = Object.keys(service(name).environment ?? {}).map((key) => key.replace(/_FILE$/, ""));
      const needed = Object.entries(schema.keys).filter(([, { flags }]) => flags?.presence === "required");
      expect(given.filter((key) => !(key in schema.keys))).to.deep.equal([]);
      expect(needed.map(([key]) => key).filter((key) => !given.includes(key))).to.deep.equal([]);
      expect(new Set(given).size).to.equal(given.length);
    });
  }

  it("mounts every secret that a setting points to", () => {
    for (const name of own) {
      const files = Object.entries(service(name).environment ?? {}).filter(([key]) => key.endsWith("_FILE"));
      expect(files.map(([, path]) => path.replace("/run/secrets/", "")).sort()).to.deep.equal(
        [...(service(name).secrets ?? [])].sort(),
      );
      for (const [key, path] of files) {
        const secret = path.replace("/run/secrets/", "");
        expect(secrets[secret]?.environment).to.equal(secret.toUpperCase());
        // The programs have accounts of their own.
        expect(secret.replace(`_${name}_`, "_").toUpperCase()).to.equal(key.replace(/_FILE$/, ""));
      }
    }
  });

  it("tells no secret on a command line, where every process of the machine could read it", () => {
    for (const [name, { command = [], entrypoint = [], environment = {} }] of Object.entries(services)) {
      const said = [command, entrypoint].flat().join(" ");
      expect(said.replaceAll("$$", ""), name).not.to.match(/\$\{?\w*(PASSWORD|SECRET|URL)/);
      for (const key of Object.keys(environment))
        if (own.includes(name)) expect(key).not.to.match(/(PASSWORD|SECRET|_URL)$/);
    }
  });

  it("gives Redis its password in a configuration that it reads from standard input", async () => {
    const [shell = "", flags = "", script = "", ...rest] = service("redis").entrypoint ?? [];
    const folder = mkdtempSync(join(tmpdir(), "flashpay-docker-"));
    // In the place of the image's own start: says what it was called with, and what it could read.
    writeFileSync(join(folder, "docker-entrypoint.sh"), '#!/bin/sh\necho "$@"; cat\n', { mode: 0o755 });
    const command = [service("redis").command ?? []].flat();
    const env = { PATH: `${folder}:/usr/bin:/bin`, REDISCLI_AUTH: "the-password" };
    const result = await run(shell, [flags, script.replaceAll("$$", "$"), ...rest, ...command], { env });
    rmSync(folder, { recursive: true });
    expect(result.output.trimEnd().split("\n")).to.deep.equal([
      `redis-server - ${command.join(" ")}`,
      "requirepass the-password",
    ]);
  });

  it("has no default for a secret, and can be read with what the launcher sets", () => {
    const variables = [...text.replace(/^ *#.*$/gm, "").matchAll(/(?<!\$)\$\{([A-Z0-9_]+)(:[-?])?/g)].map(
      ([, name = "", rule]) => ({
        name,
        rule,
      }),
    );
    for (const { name, rule } of variables) {
      expect(rule, name).to.equal(/PASSWORD|SECRET/.test(name) ? ":?" : ":-");
      if (rule === ":?") expect(LAUNCHER).to.include(name);
    }
    expect(variables.map(({ name }) => name)).to.include.members(LAUNCHER);
  });

  it("publishes ports on 127.0.0.1 only", () => {
    const ports = Object.values(services).flatMap(({ ports = [] }) => ports);
    expect(ports).to.have.lengthOf(6);
    for (const port of ports) expect(port).to.match(/^127\.0\.0\.1:\$\{FLASHPAY_[A-Z]+_PORT:-\d+\}:\d+$/);
  });

  it("starts monitoring on demand only, and Grafana with a password of the operator's or not at all", () => {
    for (const [name, { profiles }] of Object.entries(services)) {
      expect(profiles, name).to.deep.equal(monitoring.includes(name) ? ["monitoring"] : undefined);
    }
    const { environment = {}, entrypoint = [], secrets: mounted } = service("grafana");
    expect(environment).to.include({
      GF_SECURITY_ADMIN_PASSWORD__FILE: "/run/secrets/grafana_password",
      GF_AUTH_ANONYMOUS_ENABLED: "false",
      GF_USERS_ALLOW_SIGN_UP: "false",
    });
    expect(mounted).to.deep.equal(["grafana_password"]);
    expect(secrets["grafana_password"]).to.deep.equal({ environment: "GRAFANA_PASSWORD" });
    expect(entrypoint.join("\n")).to.contain("test -s /run/secrets/grafana_password || {");
    for (const name of ["api", "worker"])
      expect(service(name).environment?.["METRICS"], name).to.equal("${METRICS:-off}");
  });

  it("lets Kafka be reached from this machine and from the containers", () => {
    const { environment = {}, ports = [] } = service("kafka");
    const published = "${FLASHPAY_KAFKA_PORT:-9092}";
    expect(environment["KAFKA_ADVERTISED_LISTENERS"]?.split(",")).to.deep.equal([
      "INTERNAL://kafka:19092",
      `EXTERNAL://127.0.0.1:${published}`,
    ]);
    expect(ports).to.deep.equal([`127.0.0.1:${published}:9092`]);
    for (const name of own) expect(service(name).environment?.["KAFKA_BROKERS"]).to.equal("kafka:19092");
  });

  it("keeps what the servers hold in volumes, and orders in Kafka for 7 days or more", () => {
    const kept = ["mysql", "redis", "kafka", ...monitoring].flatMap((name) => service(name).volumes ?? []);
    const named = kept.filter((volume) => !volume.startsWith("."));
    expect(named.map((volume) => volume.split(":")[0])).to.deep.equal(Object.keys(volumes));
    for (const file of kept.filter((volume) => volume.startsWith("."))) {
      expect(existsSync(`docker/${file.split(":")[0] ?? ""}`), file).to.equal(true);
    }
    const kafka = service("kafka").environment ?? {};
    expect(kafka["KAFKA_AUTO_CREATE_TOPICS_ENABLE"]).to.equal("false");
    expect(Number(kafka["KAFKA_LOG_RETENTION_HOURS"])).to.be.at.least(7 * 24);
  });

  it("creates the topics that the launcher creates", () => {
    const script = [service("topics").command ?? ""].flat().join("\n");
    const created = [...script.matchAll(/^\s*create (--topic .*)$/gm)].map(([, options]) => options);
    const wanted = topicConfigs(1).map(({ topic, numPartitions, replicationFactor, configEntries = [] }) => {
      const config = configEntries.map(({ name, value }) => `--config ${name}=${value}`).join(" ");
      return `--topic ${topic} --partitions ${numPartitions ?? 0} --replication-factor ${replicationFactor ?? 0} ${config}`;
    });
    expect(created).to.deep.equal(wanted);
  });

  it("starts a program after the servers are healthy, the topics there and the migrations done", () => {
    const healthy = { condition: "service_healthy" };
    const done = { condition: "service_completed_successfully" };
    for (const name of ["api", "worker"]) {
      expect(service(name).depends_on).to.deep.equal({
        ...{ mysql: healthy, redis: healthy, kafka: healthy },
        ...{ topics: done, migrate: done },
      });
    }
    expect(service("migrate").depends_on).to.deep.equal({ mysql: healthy });
    expect(service("topics").depends_on).to.deep.equal({ kafka: healthy });
    for (const name of ["mysql", "redis", "kafka"])
      expect(service(name).healthcheck, name).to.be.an("object");
    for (const name of ["migrate", "topics"]) expect(service(name).restart, name).to.equal("no");
  });

  it("gives a program the time that its graceful stop may take", () => {
    for (const name of ["api", "worker"]) expect(service(name).stop_grace_period).to.equal("12s");
  });
});

interface Described {
  readonly keys: Readonly<Record<string, { readonly flags?: { readonly presence?: string } }>>;
}

function describeAll(settings: Readonly<Record<string, Joi.Schema>>): Described["keys"] {
  return Object.fromEntries(
    Object.entries(settings).map(([name, schema]) => [name, schema.describe() as Described["keys"][string]]),
  );
}

/** Instructions stage by stage, each on one line, without comments. */
function stagesOf(text: string): Stage[] {
  const lines = text
    .replace(/^#.*\n/gm, "")
    .replace(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line.trim() !== "");
  const stages: { name: string; from: string; lines: string[] }[] = [];
  for (const line of lines) {
    const [, from, name] = /^FROM (\S+) AS (\S+)$/.exec(line) ?? [];
    if (from !== undefined && name !== undefined) stages.push({ name, from, lines: [] });
    else stages.at(-1)?.lines.push(line);
  }
  return stages;
}
