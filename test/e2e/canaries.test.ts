/**
 * I6: every value that exists is a canary here. Real processes rotate, go back, contain a leak, and fail with a value
 * in hand; then every place that anything was written to is searched for every value in every form.
 */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kinds as registry } from "../../adapters/registry.js";
import { Secret } from "../../domain/secret.js";
import type { Service } from "../../examples/demo/services.js";
import { sealingCodec } from "../../worker/codec.js";
import { fixedRing } from "../../worker/codec-ring.js";
import { freePort } from "../../worker/dev/ports.js";
import { findForms } from "../support/canaries.js";
import { familyOf, wordsOf } from "../support/marked.js";
import { failing } from "./canaries/estate.js";
import { type Failing, wrongKeys, wrongUrls } from "./canaries/failures.js";
import { historiesAsText, plantControl, rowsAsText } from "./canaries/kept.js";
import { type House, Stage, until } from "./canaries/stage.js";

const testMsMax = 400_000;
const control = "control-Zq8w+3vWm0/TtYp2Xb9cLk4";

let stage: Stage;
let house: House;
let service: Service;

beforeAll(async () => {
  stage = await Stage.open();
  house = await stage.startHouse();
  service = await stage.startConsumer();
  await stage.applyEstate(service);
  await stage.live();
}, testMsMax);

afterAll(() => stage?.close(), testMsMax);

describe("I6: rotations of real processes", () => {
  test(
    "one that succeeds",
    async () => {
      await stage.rotate("the first");
      expect(await stage.outcome(service)).toBe("rotated");
      expect((await stage.live()).username).toBe("orders_b");
    },
    testMsMax,
  );

  test(
    "one that fails and goes back",
    async () => {
      const before = await stage.live();
      await service.refuse(true);
      await stage.rotate("to go back");
      await until("it is delivered", async () => (await stage.live()).username !== before.username);
      await stage.json("cancel", "orders-db", "--as", "bob", "--yes");
      await service.refuse(false);
      expect(await stage.outcome(service)).toBe("went-back");
      expect((await stage.live()).password).toBe(before.password);
    },
    testMsMax,
  );

  test(
    "one that contains a leak",
    async () => {
      const { password: leaked = "" } = await stage.live();
      const file = (await stage.planted.write("the leaked value", leaked)).replace(/^file:/, "");
      const who = ["--as", "rashid", "--key", "rashid.key", "--yes"];
      const why = ["--emergency", "--reason", "it was in a log", "--value-from", file];
      await stage.json("rotate", "orders-db", ...why, ...who);
      expect(await stage.outcome(service)).toBe("rotated");
      expect((await stage.live()).password).not.toBe(leaked);
    },
    testMsMax,
  );
});

test(
  "I6: one rotation of each other kind, with a value that a provider made lost on its way",
  async () => {
    const { kinds } = stage;
    const left = (known: object, ours: Readonly<Record<string, Readonly<Record<string, unknown>>>>) => {
      const tried = Object.values(ours).map(({ kind }) => kind);
      return Object.keys(known).filter((kind) => !tried.includes(kind));
    };
    // Whoever adds a kind adds it here. The codec's own keys are rotated in test/worker/key-ring.test.ts.
    expect(left(registry.issuers, kinds.issuers)).toEqual(["key-ring", "postgres"]);
    expect(left(registry.stores, kinds.stores)).toEqual(["vault"]);
    await kinds.collect();
    await kinds.loseNextValue();
    const ended = await Promise.all(kinds.names.map((name) => stage.rotateAlone(name)));
    expect(ended).toEqual(kinds.names.map((name) => `${name}: rotated`));
    const known = stage.planted.values.length;
    await kinds.collect();
    expect(stage.planted.values.length).toBeGreaterThanOrEqual(known + kinds.names.length);
  },
  testMsMax,
);

describe("I6: what fails with a value in hand", () => {
  interface Diagnosis {
    readonly subject: string;
    readonly findings: readonly { readonly severity: string }[];
  }

  test(
    "the worker, at every issuer and store that it cannot use",
    async () => {
      const { code, stdout } = await stage.run(["doctor", "--json"]);
      const { diagnoses } = JSON.parse(stdout) as { diagnoses: readonly Diagnosis[] };
      const refused = diagnoses.filter(({ findings }) =>
        findings.some(({ severity }) => severity === "refuse"),
      );
      expect([code, refused.map(({ subject }) => subject).sort()]).toEqual([3, [...failing].sort()]);
      for (const name of ["pg-login", "redis-login", "vault-login"])
        expect((await stage.run(["plan", name])).code, name).not.toBe(0);
    },
    testMsMax,
  );

  test(
    "commands and workers, with a URL that leads nowhere or a key that is none",
    async () => {
      const { planted, servers } = stage;
      const keys = await wrongKeys(planted, house.databaseUrl, servers.vaultAddress);
      const all = [...wrongUrls(house.databaseUrl, planted), ...keys];
      const fails = async ({ name, argv, env }: Failing) => {
        const { code, stdout, stderr } = await stage.run(argv, env);
        expect([name, `${stdout}${stderr}`]).toEqual([name, expect.stringMatching(/error/)]);
        expect([name, [0, null].includes(code)]).toEqual([name, false]);
      };
      // Two at a time: each waits for its own deadlines.
      for (let next = all.splice(0, 2); next.length > 0; next = all.splice(0, 2))
        await Promise.all(next.map(fails));
    },
    testMsMax,
  );

  test(
    "the API: its answers, its refusals and what it writes down",
    async () => {
      const token = stage.planted.draw("a token of the API", "plain").repeat(2);
      const port = await freePort();
      const server = stage.start(["server"], {
        REKEY_API_LISTEN: `127.0.0.1:${port}`,
        REKEY_API_TOKENS: "env:CANARY_API_TOKEN",
        CANARY_API_TOKEN: token,
      });
      await until("the API listens", async () => server.printed().includes("listens at"));
      const { rotation } = await stage.json<{ rotation: { id: string } }>("status", "orders-db");
      const { password = "" } = await stage.live();
      const ask = async (path: string, init: RequestInit): Promise<number> => {
        const answer = await fetch(`http://127.0.0.1:${port}/${path}`, init);
        const headers = JSON.stringify([...answer.headers]);
        await stage.keep(`${init.method ?? "GET"} ${path}`, `${headers}\n${await answer.text()}`);
        return answer.status;
      };
      const open = ["healthz", "readyz", "openapi.json"];
      const read = ["v1/credentials", "v1/credentials/orders-db", `v1/rotations/${rotation.id}`];
      for (const path of [...open, ...read, "v1/rotations/none", "v1/nowhere", "v1/%"]) {
        for (const bearer of [token, `${token.slice(0, 24)}${"w".repeat(24)}`]) {
          const status = await ask(path, { headers: { authorization: `Bearer ${bearer}` } });
          if (read.includes(path)) expect([path, status]).toEqual([path, bearer === token ? 200 : 401]);
        }
      }
      for (const body of ["no JSON", JSON.stringify({ document: password }), password.repeat(1_000)])
        expect(await ask("v1/decisions", { method: "POST", body })).toBeGreaterThanOrEqual(400);
      server.child.kill("SIGTERM");
      expect((await server.ended).code).toBe(0);
      await stage.keep("rekey server", server.printed());
    },
    testMsMax,
  );

  test(
    "a worker that crashes: Node reports it without the environment, or not at all",
    async () => {
      const [crash, reports] = [join(stage.folder, "crash.mjs"), join(stage.folder, "reports")];
      await writeFile(
        crash,
        'process.on("SIGUSR2", () => setImmediate(() => { throw new Error("crash"); }));\n',
      );
      const asked = [
        "--report-uncaught-exception",
        "--report-on-fatalerror",
        "--report-on-signal",
        `--report-directory=${reports}`,
      ];
      const crashing = async (...flags: readonly string[]): Promise<string[]> => {
        const env = { NODE_OPTIONS: [`--import=file://${crash}`, ...asked, ...flags].join(" ") };
        const worker = stage.start(["worker"], env);
        await until("the worker polls", async () => worker.printed().includes("The worker polls"));
        worker.child.kill("SIGUSR2");
        expect((await worker.ended).code).not.toBe(0);
        expect(worker.printed()).toContain("Error: crash");
        await stage.keep("a worker that crashed", worker.printed());
        return readdir(reports);
      };
      expect(await crashing()).toEqual([]);
      if (process.report.excludeEnv === undefined) return;
      const made = await crashing("--report-exclude-env");
      const text = (await Promise.all(made.map((name) => readFile(join(reports, name), "utf8")))).join("\n");
      expect(text).toContain('"message": "Error: crash"');
      expect(text).toContain('"javascriptHeap"');
    },
    testMsMax,
  );
});

test(
  "I6: discovery of places that values lie in: every kind that reads files, sessions of servers of each kind, a program",
  async () => {
    const shown = await stage.applySources();
    const { code, stdout } = await stage.run(["discover", "--json"]);
    const { sources } = JSON.parse(stdout) as {
      sources: readonly { source: string; failure: string | null; malformed: number }[];
    };
    expect([code, sources.filter(({ failure }) => failure !== null)]).toEqual([0, []]);
    expect(sources.map(({ source }) => source).sort()).toEqual(Object.keys(shown).sort());
    expect(sources.filter(({ malformed }) => malformed > 0).length).toBeGreaterThanOrEqual(5);
    const map = (await stage.run(["graph", "--json"])).stdout;
    for (const [source, name] of Object.entries(shown))
      expect([source, map.includes(name)]).toEqual([source, true]);
    // What stands around a value is shown: it was read.
    expect(map).toContain("https://***@git.example/x.yml");
    expect(
      stage.planted.values.filter((value) => map.includes(value)).map((value) => stage.planted.nameOf(value)),
    ).toEqual([]);
    const pages = [
      ["findings"],
      ["findings", "--json"],
      ["metrics"],
      ["orphaned"],
      ["shared"],
      ["changes", "--since", "1d"],
    ];
    for (const words of [
      ...pages,
      ["graph"],
      ["graph", "--format", "dot"],
      ["consumers", "orders-db"],
      ["blast", "orders-db"],
    ])
      await stage.run(words);
    const { password = "" } = await stage.live();
    for (const more of [[], ["--json"]])
      expect(
        await stage.run(["find", "--value-from", "env:LEAKED", ...more], { LEAKED: password }),
      ).toMatchObject({ code: 0, stdout: expect.stringContaining("orders-db") });
    // By what is marked and not by what it is: of each value its keyed hash alone is kept.
    expect((await stage.run(["findings"])).stdout).toContain("literal");
  },
  testMsMax,
);

test("I6: no value is in an argument, nor in the environment of a server that the engine started", async () => {
  const family = await familyOf(stage.mark);
  const words = await Promise.all(family.map(wordsOf));
  expect(words.join("\n")).toMatch(/rekey\.js up/);
  expect(words.join("\n")).toContain("start-dev");
  await stage.keep("arguments", words.join("\n"));
  const servers = family.filter((_, index) => !/rekey\.js/.test(words[index] ?? ""));
  expect(servers.length).toBeGreaterThan(2);
  for (const pid of servers) {
    const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
    await stage.keep(`environment of ${pid}`, environment);
  }
});

test(
  "I6: no value is anywhere that anything was written to",
  async () => {
    for (const words of [["status"], ["get", "credentials"], ["audit", "verify"]]) await stage.json(...words);
    const codecKey = await readFile(join(stage.folder, ".rekey", "codec-key"), "utf8");
    const rows = await rowsAsText(house.databaseUrl);
    const histories = await historiesAsText(house.temporal, sealingCodec(fixedRing([new Secret(codecKey)])));
    await stage.keep("rows", rows);
    await stage.keep("histories", histories);
    await plantControl(house.databaseUrl, house.temporal, control);
    house.up.child.kill("SIGTERM");
    expect((await house.up.ended).code).toBe(0);
    await stage.keep("rekey up", house.up.printed());
    await stage.keep("the log of Redis", await readFile(stage.servers.redisLog, "utf8"));
    for (const [name, text] of await stage.kinds.written()) await stage.keep(name, text);
    await service.stop();
    await Promise.all([stage.servers.stop(), stage.kinds.stop()]);

    const { postgresLog, vaultAudit } = stage.servers;
    const temporalFile = join(stage.folder, ".rekey", "temporal.db");
    const kept = [house.dataDir, temporalFile, `${temporalFile}-wal`];
    const places = [stage.evidence, join(stage.folder, "reports"), ...kept];
    const logs = [postgresLog, vaultAudit, ...house.logs];
    const [inventoryLog = "", temporalPrinted = "", temporalLog = ""] = house.logs;
    // Each place is the right one, and is read through: what has to be there is found.
    const controls: readonly (readonly [string, string])[] = [
      [house.dataDir, control],
      [temporalFile, control],
      [temporalFile, "binary/rekey-sealed-1"],
      [postgresLog, "rekey.apply"],
      [stage.evidence, "Ready to accept connections"],
      [stage.evidence, '"SETUSER"'],
      [stage.evidence, "PATCH /v1/keys/key-1"],
      [stage.evidence, '"POST / HTTP/1.1" 200'],
      [vaultAudit, "services/orders-db"],
      [inventoryLog, control],
      [temporalPrinted, "Temporal Server:"],
      [temporalLog, "wf-id=control"],
    ];
    for (const [place, text] of controls)
      expect((await findForms([text], [place])).length, `${text} in ${place}`).toBeGreaterThan(0);
    expect(rows.includes("-- rekey_audit.")).toBe(true);
    for (const text of ["orders_b", "pg-login", ...stage.kinds.names])
      expect([text, histories.includes(text)]).toEqual([text, true]);
    expect(stage.planted.names.length).toBeGreaterThan(30);

    const found = await findForms(stage.planted.values, [...places, ...logs]);
    expect(found.map(({ file, form }) => `${stage.planted.nameOf(form)} in ${file}`)).toEqual([]);
  },
  testMsMax,
);
