// Servers of others on loopback, with an authority of their own, which the demo's policy has to open.
import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class Outside {
  /** Makes an authority, and has this demo trust it and go there. */
  constructor(demo) {
    this.scratch = mkdtempSync(join(tmpdir(), "sekisho-outside-"));
    this.servers = [];
    const file = (name) => join(this.scratch, name);
    const openssl = (...args) => execFileSync("openssl", args, { stdio: "ignore" });
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    openssl("req", "-x509", ...curve, "-days", "2", "-subj", "/CN=test authority", "-keyout", file("ca.key"), "-out", file("ca.pem"),
      "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign");
    openssl("req", ...curve, "-subj", "/CN=localhost", "-keyout", file("key"), "-out", file("csr"));
    writeFileSync(file("ext"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n");
    openssl("x509", "-req", "-in", file("csr"), "-CA", file("ca.pem"), "-CAkey", file("ca.key"), "-CAcreateserial", "-days", "2",
      "-extfile", file("ext"), "-out", file("pem"));
    const beside = join(demo.data, "..", "policy.toml");
    appendFileSync(existsSync(beside) ? beside : join(demo.data, "policy.toml"), `
[egress]
allow = ["127.0.0.0/8", "::1/128"]
authorities = "${file("ca.pem")}"
`);
    demo.command("reload");
  }

  /** A server; its address. */
  async serve(handler) {
    const server = https.createServer({ key: readFileSync(join(this.scratch, "key")), cert: readFileSync(join(this.scratch, "pem")) }, handler);
    await new Promise((done) => server.listen(0, "127.0.0.1", done));
    this.servers.push(server);
    return `https://localhost:${server.address().port}`;
  }

  close() {
    for (const server of this.servers) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(this.scratch, { recursive: true, force: true });
  }
}
