/** The stage of the canary suite: real processes in one folder, and a place where everything that they say is kept to be searched. */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Service, startService } from "../../../examples/demo/services.js";
import { findBinary } from "../../../worker/dev/binaries.js";
import { temporalPin } from "../../../worker/dev/pins.js";
import { familyMark, familyOf } from "../../support/marked.js";
import { type Ended, type Running, rekeyIn } from "../../support/rekey.js";
import { type Asked, placesToAsk } from "./asked.js";
import { estateText, failing } from "./estate.js";
import { type Hostile, startHostile } from "./hostile.js";
import { type Kinds, openKinds } from "./kinds.js";
import { Planted } from "./planted.js";
import { type Servers, startServers } from "./servers.js";
import { placesWithValues, type ReadPlaces } from "./sources.js";
import { makeTalkative } from "./talkative.js";

const untilMsMax = 120_000;

/** Repeats until there is an answer. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = Date.now() + untilMsMax;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (Date.now() > deadline) throw new Error(`it never came to this: ${what}`);
    await pause(100);
  }
}

/** What `rekey up` runs, as the test gets at it. */
export interface House {
  readonly up: Running;
  readonly databaseUrl: string;
  readonly temporal: string;
  /** Where the inventory's PostgreSQL keeps its data. */
  readonly dataDir: string;
  /** What the inventory's PostgreSQL and Temporal print, as much as they can be made to. */
  readonly logs: readonly string[];
}

/** Temporal's program as `rekey up` finds it: a talkative one, whose log has a file of its own. */
async function talkativeTemporal(folder: string): Promise<{ program: string; log: string }> {
  const [program, log] = [join(folder, "temporal"), join(folder, "temporal-debug.log")];
  const real = await findBinary(temporalPin);
  const script = `#!/bin/sh\nexec '${real}' "$@" --log-level debug 2>>'${log}'\n`;
  await writeFile(program, script, { mode: 0o755 });
  return { program, log };
}

/** The stage. Call `close` however it went. */
export class Stage {
  readonly mark = familyMark();
  readonly #ends: (() => Promise<unknown>)[] = [];
  readonly #temporal: { readonly program: string; readonly log: string };
  /** They start while the rest goes on: a RabbitMQ takes as long as everything else. */
  readonly #asked: Promise<Asked>;
  #kept = 0;

  private constructor(
    readonly folder: string,
    readonly planted: Planted,
    readonly servers: Servers,
    readonly kinds: Kinds,
    readonly hostile: Hostile,
    temporal: { readonly program: string; readonly log: string },
    asked: Promise<Asked>,
  ) {
    this.#asked = asked;
    this.#temporal = temporal;
  }

  /** Folder of everything that was printed, answered and read out. */
  get evidence(): string {
    return join(this.folder, "evidence");
  }

  static async open(): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), "rekey-canary-"));
    // PostgreSQL does not run as root: whoever it runs as has to get through.
    await chmod(folder, 0o711);
    for (const name of ["evidence", "secrets", "reports"]) await mkdir(join(folder, name));
    const planted = new Planted(join(folder, "secrets"));
    const [servers, kinds, hostile, temporal] = await Promise.all([
      startServers(folder, planted),
      openKinds(folder, planted),
      startHostile(),
      talkativeTemporal(folder),
    ]);
    const asked = placesToAsk(folder, planted);
    asked.catch(() => undefined);
    const stage = new Stage(folder, planted, servers, kinds, hostile, temporal, asked);
    stage.#ends.push(
      () => rm(folder, { recursive: true, force: true }),
      () => hostile.close(),
      () => kinds.stop(),
      () => stage.servers.stop(),
      // Why they did not start is told to whoever waits for them.
      () =>
        asked.then(
          (all) => all.stop(),
          () => undefined,
        ),
      // Ids that carry this stage's mark, and no others.
      async () => {
        for (const pid of await familyOf(stage.mark)) process.kill(pid, "SIGKILL");
      },
    );
    return stage;
  }

  async close(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }

  /** Starts the program with the engine's password in its environment, as the estate names it, and talkative. */
  start(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
    const { REKEY_CACHE } = process.env;
    return rekeyIn(this.folder, {
      ...(REKEY_CACHE === undefined ? {} : { REKEY_CACHE }),
      [temporalPin.envName]: this.#temporal.program,
      ...this.mark,
      DEBUG: "*",
      REKEY_PG_PASSWORD: this.servers.enginePassword,
      ...env,
    }).start(...argv);
  }

  /** Runs the program to its end and keeps all that it printed. */
  async run(argv: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended> {
    const ended = await this.start(argv, env).ended;
    await this.keep(`rekey ${argv.join(" ")}`, `${ended.stdout}\n${ended.stderr}`);
    return ended;
  }

  /** The same, which has to end well, with what `--json` printed. */
  async json<T>(...argv: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await this.run([...argv, "--json"]);
    if (code !== 0) throw new Error(`rekey ${argv.join(" ")} ended with ${code}: ${stdout}${stderr}`);
    return JSON.parse(stdout) as T;
  }

  /** Puts a text among what is searched. */
  async keep(name: string, text: string): Promise<void> {
    this.#kept += 1;
    const file = `${String(this.#kept).padStart(3, "0")} ${name.replaceAll(/[^\w .-]+/g, "_").slice(0, 80)}`;
    await writeFile(join(this.evidence, file), text);
  }

  /** Starts `rekey up`, and takes every key that it made into the search. */
  async startHouse(): Promise<House> {
    const up = this.start(["up"]);
    await until("rekey up runs", async () => {
      if (up.child.exitCode !== null) throw new Error(`rekey up ended: ${up.printed()}`);
      return up.printed().includes("Everything runs");
    });
    const text = (name: string) => readFile(join(this.folder, ".rekey", name), "utf8");
    const databaseUrl = await text("database-url");
    this.planted.know("the inventory's password", new URL(databaseUrl).password);
    for (const name of ["codec-key", "fingerprint-key"])
      this.planted.know(`the ${name}`, (await text(name)).trim());
    for (const name of ["engine-key.json", "audit-key.json"])
      this.planted.know(`the private part of ${name}`, (JSON.parse(await text(name)) as { d: string }).d);
    const dataDir = await makeTalkative(databaseUrl);
    const temporal = /^REKEY_TEMPORAL_ADDRESS=(.*)$/m.exec(await text("installation.env"))?.[1] ?? "";
    const logs = ["postgres.log", "temporal.log"].map((name) => join(this.folder, ".rekey", name));
    logs.push(this.#temporal.log);
    return { up, databaseUrl, temporal, dataDir, logs };
  }

  /** A consumer that polls the store. */
  async startConsumer(): Promise<Service> {
    const { kty, crv, x } = JSON.parse(
      await readFile(join(this.folder, ".rekey", "engine-key.json"), "utf8"),
    );
    const tokenFile = await this.planted.write("the consumer's store token", this.servers.vaultToken);
    const service = await startService({
      name: "orders-api",
      program: "poll-service",
      env: {
        CREDENTIAL: "orders-db",
        PGPORT: String(this.servers.postgresPort),
        PGDATABASE: "orders",
        VAULT_ADDR: this.servers.vaultAddress,
        VAULT_PATH: "services/orders-db",
        VAULT_TOKEN_FILE: tokenFile.replace(/^file:/, ""),
        ENGINE_JWK: JSON.stringify({ kty, crv, x }),
        POLL_MS: "100",
      },
    });
    this.#ends.push(() => service.stop());
    return service;
  }

  /** Makes keys for two persons, and applies the estate. */
  async applyEstate(service: Service): Promise<void> {
    const lines = [];
    for (const person of ["alice", "rashid"]) {
      const file = `${person}.key`;
      lines.push((await this.json<{ public: string }>("keygen", "--as", person, "--out", file)).public);
      const { d } = JSON.parse(await readFile(join(this.folder, file), "utf8")) as { d: string };
      this.planted.know(`${person}'s key`, d);
    }
    const [ownerKey = "", responderKey = ""] = lines;
    const wrong = await Promise.all(
      failing.map(async (name) => [name, await this.planted.file(`for ${name}`)]),
    );
    const text = estateText({
      ownerKey,
      responderKey,
      postgres: { port: this.servers.postgresPort, password: "env:REKEY_PG_PASSWORD" },
      redisPort: this.servers.redisPort,
      vault: {
        address: this.servers.vaultAddress,
        token: await this.planted.write("the engine's store token", this.servers.vaultToken),
      },
      service: { instance: service.instance, url: new URL(service.attestUrl).origin },
      kinds: this.kinds,
      hostile: this.hostile,
      wrong: Object.fromEntries(wrong),
    });
    await writeFile(join(this.folder, "estate.yaml"), text);
    await this.json("apply", "--yes");
  }

  /** Sources over places that values lie in, applied; what each of them has to show. */
  async applySources(): Promise<ReadPlaces["shown"]> {
    const file = join(this.folder, "estate.yaml");
    const estate = JSON.parse(await readFile(file, "utf8")) as object;
    const { account, region } = this.kinds.stores["aws-sound"] as { account: string; region: string };
    const read = await placesWithValues(join(this.folder, "read"), this.planted, { account, region });
    const asked = await this.#asked;
    await writeFile(file, JSON.stringify({ ...estate, sources: { ...read.sources, ...asked.sources } }));
    await this.json("apply", "--yes");
    return { ...read.shown, ...asked.shown };
  }

  /** The live document, whose values are looked for from now on. */
  async live(): Promise<Readonly<Record<string, string>>> {
    const document = await this.servers.live();
    const version = document.rekey_version ?? "the first";
    this.planted.know(`the password of ${version}`, document.password ?? "");
    if (document.rekey_attest_key !== undefined)
      this.planted.know(`the attestation key of ${version}`, document.rekey_attest_key);
    return document;
  }

  /** Starts a rotation that alice approves. */
  async rotate(reason: string): Promise<void> {
    await this.json("rotate", "orders-db", "--as", "bob", "--reason", reason);
    await until("alice is asked and signs", async () => {
      const words = ["approve", "orders-db", "--as", "alice", "--key", "alice.key", "--yes", "--json"];
      const { code, stdout } = await this.run(words);
      return code === 0 && (JSON.parse(stdout) as { sent: unknown[] }).sent.length > 0;
    });
  }

  /** Rotates what nobody uses and nobody has to approve; answers how it ended, and has everything said of it. */
  async rotateAlone(name: string): Promise<string> {
    await this.json("rotate", name, "--as", "bob", "--reason", "to be looked for");
    await this.run(["watch", name]);
    const { rotation } = await this.json<{ rotation: { id: string; outcome: string } }>("status", name);
    await this.json("audit", "export", rotation.id, "--out", join(this.evidence, `pack of ${name}`));
    return `${name}: ${rotation.outcome}`;
  }

  /** How the latest rotation ended, once it has; without work no instance would show that it works. */
  async outcome(service: Service): Promise<string> {
    let working = true;
    const customers = (async () => {
      while (working) {
        await service.work();
        await pause(50);
      }
    })();
    await this.run(["watch", "orders-db"]);
    working = false;
    await customers;
    const { rotation } = await this.json<{ rotation: { outcome: string } }>("status", "orders-db");
    return rotation.outcome;
  }
}
