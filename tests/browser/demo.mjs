// A running demo for one test file: its addresses, its accounts, and commands given to it on its host.
import { spawn, execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const BINARY = process.env.SEKISHO_BIN ?? new URL("../../target/ci/sekisho", import.meta.url).pathname;
const FAKETIME = `/usr/lib/${{ x64: "x86_64", arm64: "aarch64" }[process.arch]}-linux-gnu/faketime/libfaketimeMT.so.1`;
const STARTED_WITHIN = 60_000;

export class Demo {
  /** Starts `sekisho demo` on a free port. With `clock`, its wall clock can be moved by `advance`. */
  static async start({ clock = false } = {}) {
    const demo = new Demo();
    demo.scratch = mkdtempSync(join(tmpdir(), "sekisho-browser-"));
    demo.data = join(demo.scratch, "demo", "data");
    demo.clock = join(demo.scratch, "clock");
    const env = { ...process.env };
    if (clock) {
      writeFileSync(demo.clock, "+0");
      Object.assign(env, {
        LD_PRELOAD: FAKETIME,
        FAKETIME_TIMESTAMP_FILE: demo.clock,
        FAKETIME_NO_CACHE: "1",
        FAKETIME_DONT_FAKE_MONOTONIC: "1",
      });
    }
    const args = ["--lang", "en", "demo", "--port", "0", "--data", join(demo.scratch, "demo")];
    demo.child = spawn(BINARY, args, { env, stdio: ["ignore", "pipe", "inherit"] });
    await demo.#greeted();
    return demo;
  }

  async #greeted() {
    let text = "";
    const said = new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`the demo did not greet in time: ${text}`)), STARTED_WITHIN);
      this.child.once("exit", (code) => reject(new Error(`the demo ended with ${code}: ${text}`)));
      this.child.stdout.on("data", (chunk) => {
        text += chunk;
        if (!text.includes("sekisho prove")) return;
        clearTimeout(late);
        resolve();
      });
    });
    await said;
    this.child.removeAllListeners("exit");
    this.organisations = [];
    for (const line of text.split("\n")) {
      const address = line.match(/^ +(application|console): (https:\S+?)\/$/);
      const account = line.match(/^ +(administrator|approver|user) +(\S+) +(\S+)$/);
      if (address?.[1] === "application") this.organisations.push({ application: address[2] });
      if (address?.[1] === "console") this.organisations.at(-1).console = address[2];
      if (account) this.organisations.at(-1)[account[1]] = { name: account[2], password: account[3] };
    }
    if (this.organisations.length !== 2) throw new Error(`the demo's greeting is not as expected:\n${text}`);
    const authority = new X509Certificate(readFileSync(join(this.data, "authority.pem")));
    const key = authority.publicKey.export({ type: "spki", format: "der" });
    /** What a browser must be told to trust: the hash of the local authority's key, and nothing else. */
    this.trust = createHash("sha256").update(key).digest("base64");
  }

  /** A command on the host of the running demo. Returns what it prints. */
  command(...args) {
    return execFileSync(BINARY, ["--lang", "en", ...args, "--data", this.data], { encoding: "utf8" });
  }

  /** Moves the demo's wall clock to `seconds` after the true one. */
  advance(seconds) {
    writeFileSync(this.clock, `+${seconds}`);
  }

  async stop() {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGTERM");
    await ended;
    rmSync(this.scratch, { recursive: true, force: true });
  }
}
