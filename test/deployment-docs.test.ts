import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { run } from "../tools/stack/command.ts";
import { blocksOf } from "./support/doc-commands.ts";

const PAGE = "docs/deployment.md";
const CERTIFICATES = "/etc/ssl/pay.example.com";

const printed = (language: string): string =>
  blocksOf(PAGE, language)
    .map(({ text }) => text)
    .join("\n");

describe("the proxies of docs/deployment.md", function () {
  this.timeout(30_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "flashpay-proxies-"));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("are configurations that nginx takes", async function () {
    if (!(await run("nginx", ["-v"])).ok) {
      say("nginx is not installed here: its example is not held against it");
      this.skip();
    }
    const names = ["-keyout", join(folder, "privkey.pem"), "-out", join(folder, "fullchain.pem")];
    const made = await run("openssl", [
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-subj",
      "/CN=x",
      ...names,
    ]);
    expect(made.ok, made.output).to.equal(true);
    const file = join(folder, "nginx.conf");
    const http = printed("nginx").replaceAll(CERTIFICATES, folder);
    // Folders that a package makes; whoever runs tests need not have them.
    const folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${folder}/${name};`)
      .join("\n");
    writeFileSync(
      file,
      `pid ${folder}/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${folders}\n${http}\n}\n`,
    );
    const { ok, output } = await run("nginx", ["-t", "-c", file, "-p", folder]);
    expect(ok, output).to.equal(true);
  });

  it("are configurations that Caddy takes", async function () {
    if (!(await run("caddy", ["version"])).ok) {
      say("Caddy is not installed here: its example is not held against it");
      this.skip();
    }
    const file = join(folder, "Caddyfile");
    writeFileSync(file, printed("caddyfile"));
    const { ok, output } = await run("caddy", ["validate", "--adapter", "caddyfile", "--config", file]);
    expect(ok, output).to.equal(true);
  });
});

const say = (line: string): void => void process.stdout.write(`      ${line}\n`);
