import { openHome } from "./home.ts";
import { migrate } from "./migrate.ts";
import type { Report } from "./report.ts";
import { openSecrets } from "./secrets.ts";
import { startServers, type Servers } from "./servers.ts";
import { createTopics } from "./topics.ts";

export type TestServers = { env: NodeJS.ProcessEnv; stop: () => Promise<void> };
type TestSite = { home: string; env: NodeJS.ProcessEnv; report: Report };

/** Private servers for runs of specs, migrated and with their topics; `env` tells specs where they are. */
export async function startTestServers({ home, env, report }: TestSite): Promise<TestServers> {
  const servers = await startServers({ home, env, report });
  await createTopics(servers.kafka.brokers, 1);
  await migrate(servers.mysql, env);
  report("database is migrated, topics are there");
  return { env: { ...env, ...addresses(home, servers) }, stop: servers.stop };
}

/** Where the specs find the servers. Their names differ from the programs' settings, so nothing uses them by accident. */
function addresses(home: string, { mysql, redis, kafka }: Servers): NodeJS.ProcessEnv {
  const secrets = openSecrets(openHome(home));
  return {
    TEST_MYSQL_HOST: mysql.host,
    TEST_MYSQL_PORT: String(mysql.port),
    TEST_MYSQL_USER: mysql.user,
    TEST_MYSQL_PASSWORD: mysql.password,
    TEST_MYSQL_DATABASE: mysql.database,
    TEST_HOME: home,
    TEST_JWT_SECRET: secrets.jwtSecret,
    TEST_MYSQL_ROOT_PASSWORD: secrets.mysqlRootPassword,
    TEST_MYSQL_API_PASSWORD: mysql.accounts?.api.password,
    TEST_MYSQL_WORKER_PASSWORD: mysql.accounts?.worker.password,
    TEST_REDIS_URL: redis.url,
    TEST_KAFKA_BROKERS: kafka.brokers,
  };
}
