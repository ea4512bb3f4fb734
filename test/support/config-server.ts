import { join } from "node:path";
import { findPrograms, searchPath } from "../../tools/stack/find-programs.ts";
import { cacheFolder, REPOSITORY, type Home } from "../../tools/stack/home.ts";
import { fetchJars } from "../../tools/stack/maven-jars.ts";
import { openPorts } from "../../tools/stack/ports.ts";
import { startService, type Service } from "../../tools/stack/server.ts";

const MAIN = "org.springframework.cloud.config.server.ConfigServerApplication";
const SERVER = {
  pom: join(REPOSITORY, "test/config-server/pom.xml"),
  name: "config-server",
  title: "Spring Cloud Config Server",
} as const;
const READY_DEADLINE_MS = 90_000;
const STOP_DEADLINE_MS = 10_000;
const PROBE_TIMEOUT_MS = 2_000;

export const ACCOUNT = { user: "fleet", password: "c0nfig hunter2/@:" };

/** What the server needs, or undefined where Java or Maven is missing. */
export async function findConfigServer(): Promise<{ java: string; jars: string } | undefined> {
  const { java, maven } = await findPrograms(searchPath(process.env), process.env);
  if (java === undefined || maven === undefined) return undefined;
  return { java, jars: await fetchJars(cacheFolder(process.env), SERVER, maven) };
}

/** A real Spring Cloud Config Server that serves the files of a folder to those who know the account. */
export async function startConfigServer(
  home: Home,
  { java, jars }: { java: string; jars: string },
  folder: string,
): Promise<Service & { url: string }> {
  const port = await openPorts(home).claim("config-server");
  const url = `http://127.0.0.1:${port}`;
  const service = await startService(home, {
    ...{ name: SERVER.name, title: SERVER.title, label: `${SERVER.title} on ${url}`, port },
    launch: {
      command: java,
      args: ["-Xmx192m", "-XX:TieredStopAtLevel=1", "-cp", join(jars, "*"), MAIN],
      cwd: home.path,
      env: {
        PATH: process.env["PATH"],
        SPRING_PROFILES_ACTIVE: "native",
        // One folder a label.
        SPRING_CLOUD_CONFIG_SERVER_NATIVE_SEARCHLOCATIONS: `file:${folder}/,file:${folder}/{label}/`,
        SPRING_SECURITY_USER_NAME: ACCOUNT.user,
        SPRING_SECURITY_USER_PASSWORD: ACCOUNT.password,
        SERVER_ADDRESS: "127.0.0.1",
        SERVER_PORT: String(port),
        JAVA_TOOL_OPTIONS: `-Djava.io.tmpdir=${home.path}`,
      },
    },
    probe: async () => {
      const account = Buffer.from(`${ACCOUNT.user}:${ACCOUNT.password}`).toString("base64");
      const health = await fetch(`${url}/actuator/health`, {
        headers: { Authorization: `Basic ${account}` },
        signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
      });
      await health.text();
      if (!health.ok) throw new Error(`status ${health.status}`);
    },
    readyDeadlineMs: READY_DEADLINE_MS,
    stopDeadlineMs: STOP_DEADLINE_MS,
    complaint: /ERROR|APPLICATION FAILED/,
  });
  return Object.assign(service, { url });
}
