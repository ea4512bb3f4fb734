import { mkdtempSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { run } from "../tools/stack/command.ts";
import { findPrograms, searchPath } from "../tools/stack/find-programs.ts";
import { openHome } from "../tools/stack/home.ts";
import { startMysql, type MysqlServer } from "../tools/stack/mysql.ts";
import { openPorts } from "../tools/stack/ports.ts";
import { mysqlSettings } from "../tools/stack/programs.ts";
import { openSecrets } from "../tools/stack/secrets.ts";

describe("TLS to MySQL", function () {
  this.timeout(90_000);
  const folder = mkdtempSync(join(tmpdir(), "flashpay-tls-"));
  const key = join(folder, "key.pem");
  const certificate = join(folder, "certificate.pem");
  let server: MysqlServer | undefined;

  before(async function () {
    const made = await run("openssl", [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"],
      ...["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
    ]);
    const { mysql } = await findPrograms(searchPath(process.env), process.env);
    if (!made.ok || !mysql) {
      process.stdout.write("      openssl or a private MySQL is missing here: TLS to MySQL was not tried\n");
      this.skip();
    }
    const home = openHome(join(folder, "home"));
    const port = await openPorts(home).claim("mysql");
    const own = [`--ssl-cert=${certificate}`, `--ssl-key=${key}`];
    server = await startMysql(home, mysql, openSecrets(home), port, own);
  });
  after(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What a connection says that is made as the programs make theirs. */
  async function connected(different: NodeJS.ProcessEnv): Promise<string> {
    if (!server) throw new Error("there is no server");
    const env = {
      PATH: process.env["PATH"],
      ...mysqlSettings(server),
      MYSQL_HOST: "localhost",
      ...different,
    };
    const { output } = await run(process.execPath, ["--import", "tsx", "test/support/mysql-tls-probe.ts"], {
      env,
    });
    return output.trim();
  }
  const trusted = { NODE_EXTRA_CA_CERTS: certificate };

  it("is used when MYSQL_TLS says so, and not otherwise", async () => {
    expect(await connected({ ...trusted, MYSQL_TLS: "on" })).to.match(/^cipher: \S+/);
    expect(await connected(trusted)).to.equal("cipher:");
  });

  it("ends at a certificate of an authority that nobody has named", async () => {
    expect(await connected({ MYSQL_TLS: "on" })).to.match(/^refused: .*certificate/);
  });

  it("ends at a certificate of another name", async function () {
    // Debian gives a machine its own name an address of loopback; where it has another, nobody answers there.
    if (hostname() === "localhost") this.skip();
    const elsewhere = await connected({ ...trusted, MYSQL_TLS: "on", MYSQL_HOST: hostname() });
    expect(elsewhere).to.match(/^refused: /);
  });
});
