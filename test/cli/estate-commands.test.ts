/** The commands that read estate.yaml, with real files and the kinds that really exist. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { kinds } from "../../adapters/registry.js";
import { RekeyError } from "../../domain/errors.js";
import type { KeptFinding } from "../../domain/findings/course.js";
import { nodeNamed } from "../domain/graph/maps.js";
import { emptyWorld, runIn, type World } from "./fakes.js";

const around = { deps: { kinds } };
let folder = "";
let file = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rekey-estate-"));
  file = join(folder, "estate.yaml");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("init writes an estate that lacks nothing but a key, never over another, and with one it is valid", async () => {
  const first = await runIn(emptyWorld(), ["init", "-f", file], around);
  expect(first.code).toBe(0);
  expect(first.stdout).toMatch(/rekey keygen[\s\S]*rekey validate[\s\S]*rekey apply/);

  const again = await runIn(emptyWorld(), ["init", "-f", file], around);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("is left as it is")]);

  const keyless = await runIn(emptyWorld(), ["validate", "-f", file, "--json"], around);
  const { problems } = JSON.parse(keyless.stdout) as { problems: { code: string }[] };
  expect([keyless.code, problems.map(({ code }) => code)]).toEqual([2, ["quorum-out-of-reach"]]);

  const made = await runIn(emptyWorld(), ["keygen", "--as", "alice", "--out", join(folder, "k"), "--json"]);
  const line = (JSON.parse(made.stdout) as { public: string }).public;
  writeFileSync(file, readFileSync(file, "utf8").replace("keys: []", `keys: [${line}]`));
  const valid = await runIn(emptyWorld(), ["validate", "-f", file], around);
  expect(valid.stderr).toBe("");
  expect(valid.stdout).toContain(
    "2 owners, 1 store, 1 issuer, 1 source, 1 policy, 2 consumers, 1 credential",
  );
  expect(valid.code).toBe(0);
});

test("apply shows the difference, asks, and says who applied it", async () => {
  const world = emptyWorld();
  const unasked = await runIn(world, ["apply", "-f", file], around);
  expect(unasked.stdout).toContain("+ credentials › orders-db");
  expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining("--yes")]);
  const dry = await runIn(world, ["apply", "-f", file, "--dry-run"], around);
  expect(dry.code).toBe(0);
  expect(world.calls).toEqual([]);
  const applied = await runIn(world, ["apply", "-f", file, "--yes", "--as", "alice"], around);
  expect([applied.code, applied.stdout]).toEqual([0, expect.stringContaining("Applied as revision 4.")]);
  expect(world.calls).toContainEqual(["apply", expect.stringMatching(/^sha256:/), "alice"]);
});

test("apply takes the estate of another installation only where somebody says that it is the same one", async () => {
  const world = emptyWorld({ installation: "shop-production" });
  const refused = await runIn(world, ["apply", "-f", file, "--yes"], around);
  expect(refused.code).not.toBe(0);
  expect(refused.stdout).toBe("");
  expect(refused.stderr).toContain(
    `The inventory is that of the installation shop-production, and ${file} is the estate of my-rekey.`,
  );
  expect(refused.stderr).toMatch(/hint: .*REKEY_DATABASE_URL[\s\S]*--rename/);
  expect(world.calls).toEqual([]);
  const dry = await runIn(world, ["apply", "-f", file, "--dry-run"], around);
  expect([dry.code, dry.stdout]).toEqual([
    0,
    expect.stringContaining("~ installation  (shop-production is called my-rekey)"),
  ]);
  const renamed = await runIn(world, ["apply", "-f", file, "--yes", "--rename", "--as", "alice"], around);
  expect([renamed.code, renamed.stdout]).toEqual([0, expect.stringContaining("Applied as revision 4.")]);
});

test("apply says what it means for the findings, and is done also where these cannot be looked at", async () => {
  const applied = async (look: World["look"]) =>
    runIn(emptyWorld({ look }), ["apply", "-f", file, "--yes"], around);
  const { stdout } = await applied(() => ({ open: 2, excepted: 1, ended: 3, looked: true }));
  expect(stdout).toContain(
    "Applied as revision 4. 2 findings opened, 1 excepted, 3 ended: see `rekey findings`.",
  );
  const away = await applied(() => {
    throw new RekeyError("unreachable", "The inventory does not answer.");
  });
  expect([away.code, away.stdout]).toEqual([0, expect.stringContaining("Applied as revision 4.\n")]);
  expect(away.stderr).toContain("The findings were not brought up to date: The inventory does not answer.");
  const broken = await applied(() => {
    throw new TypeError("not ours");
  });
  expect(broken.code).toBe(1);
});

test("apply of an estate that is not valid applies nothing and lists why", async () => {
  const broken = join(folder, "broken.yaml");
  writeFileSync(broken, readFileSync(file, "utf8").replace("policy: standard", "policy: standart"));
  const world = emptyWorld();
  const { code, stderr } = await runIn(world, ["apply", "-f", broken, "--yes"], around);
  expect(code).toBe(2);
  expect(stderr).toContain('did you mean "standard"?');
  expect(stderr).toContain("error:");
  expect(world.calls).toEqual([]);
});

test("validate names file, line and column for people on standard error", async () => {
  const broken = join(folder, "broken.yaml");
  const { code, stdout, stderr } = await runIn(emptyWorld(), ["validate", "-f", broken], around);
  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/broken\.yaml:\d+:\d+: credentials › orders-db › policy/);
});

test("validate says of an estate in which nothing stands that it is one", async () => {
  const empty = join(folder, "empty.yaml");
  writeFileSync(empty, "version: 1\ninstallation: shop\n");
  const { code, stdout } = await runIn(emptyWorld(), ["validate", "-f", empty], around);
  expect([code, stdout]).toEqual([
    0,
    `valid  ${empty}: an empty estate, which names its installation and declares nothing\n`,
  ]);
});

test("C30: an exception that would last longer than its policy allows is not applied", async () => {
  const parts = mkdtempSync(join(folder, "excepted-"));
  const sample = parse(readFileSync(file, "utf8")) as Record<string, Record<string, object>>;
  const excepting = (until: string, exceptionMax?: string) => {
    const exceptions = [{ finding: "no-expiry", owner: "alice", reason: "It goes.", until }];
    const { credentials = {}, policies = {}, ...rest } = sample;
    const standard = { ...policies.standard, ...(exceptionMax === undefined ? {} : { exceptionMax }) };
    writeFileSync(join(parts, "rest.yaml"), stringify({ ...rest, policies: { standard } }));
    const orders = { ...credentials["orders-db"], exceptions };
    writeFileSync(join(parts, "credentials.yaml"), stringify({ credentials: { "orders-db": orders } }));
  };
  const run = (...argv: string[]) => runIn(emptyWorld(), [...argv, "-f", parts], around);
  excepting("2099-01-01");
  for (const argv of [["validate"], ["apply", "--yes"]]) {
    const refused = await run(...argv);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(
      "error: The exception of orders-db for no-expiry until 2099-01-01 is longer than 180d (`exceptionMax` of policy standard).\n" +
        "hint: Let it end by 2027-01-28; whoever answers for it can extend it then.",
    );
  }
  excepting("2027-01-28");
  expect((await run("validate")).code).toBe(0);
  excepting("2027-01-28", "30d");
  expect((await run("validate")).stderr).toContain("longer than 30d");
  excepting("2027-06-01", "365d");
  expect((await run("apply", "--yes")).code).toBe(0);
  // A source has no policy, and the rule that holds without one.
  const [name = "", source] = Object.entries(sample.sources ?? {})[0] ?? [];
  const exceptions = [{ finding: "literal", owner: "alice", reason: "It goes.", until: "2099-01-01" }];
  const sources = { [name]: { ...source, exceptions } };
  excepting("2027-01-28");
  writeFileSync(join(parts, "rest.yaml"), stringify({ ...sample, credentials: {}, sources }));
  expect((await run("validate")).stderr).toContain(`The exception of ${name} for literal until 2099-01-01`);
});

test("get shows an entry with its durations as somebody writes them, and programs have them in milliseconds", async () => {
  const body = { kind: "postgres-activity", every: 600_000, port: 5432 };
  const entry = {
    id: "src_0",
    section: "sources" as const,
    name: "pg",
    body,
    since: 0,
    changedAt: 0,
    endedAt: null,
  };
  const run = (...more: string[]) =>
    runIn(emptyWorld({ entries: [entry] }), ["get", "sources", "pg", ...more], around);
  expect((await run()).stdout).toBe("pg:\n  kind: postgres-activity\n  every: 10m\n  port: 5432\n");
  expect(JSON.parse((await run("--json")).stdout)).toMatchObject({ body: { every: 600_000 } });
});

test("C30: an exception to a code that is only begun, or by an owner who is, has those that were probably meant as a hint", async () => {
  const sample = parse(readFileSync(file, "utf8")) as Record<string, Record<string, object>>;
  const wrong = { finding: "unmapped", about: "psql", owner: "ali", reason: "It goes.", until: "2026-08-20" };
  const orders = { ...sample.credentials?.["orders-db"], exceptions: [wrong] };
  const path = join(folder, "begun.yaml");
  writeFileSync(path, stringify({ ...sample, credentials: { "orders-db": orders } }));
  const { code, stderr } = await runIn(emptyWorld(), ["validate", "-f", path], around);
  expect(code).toBe(2);
  expect(stderr).toContain('did you mean "unmapped-copy" or "unmapped-reader"?');
  expect(stderr).toContain('did you mean "alice"?');
});

test("an exception that meets nobody is applied, with the name that was probably meant", async () => {
  const sample = parse(readFileSync(file, "utf8")) as Record<string, Record<string, object>>;
  const about = (...names: string[]) => {
    const exceptions = names.map((name) => ({
      ...{ finding: "unmapped-reader", about: name, owner: "alice", reason: "It goes.", until: "2026-08-20" },
    }));
    const orders = { ...sample.credentials?.["orders-db"], exceptions };
    const other = join(folder, "excepted.yaml");
    writeFileSync(other, stringify({ ...sample, credentials: { "orders-db": orders } }));
    return other;
  };
  const finding: KeptFinding = {
    ...{ number: 12, code: "unmapped-reader", severity: "refuse", state: "open", credential: "c1" },
    subject: { id: "c1", type: "credential", name: "orders-db" },
    about: { id: "i1", type: "identity", name: "report job from 10.0.0.9" },
    sentence: "It uses it and is no declared consumer of it.",
    ...{ owners: [], places: [], sources: ["pg"], exception: null, firstSeen: 0, lastSeen: 0, since: 0 },
  };
  const named = { c1: "orders-db", i1: "report job from 10.0.0.9", i2: "backup job from 10.0.0.8" };
  const nodes = new Map(Object.entries(named).map(([id, name]) => [id, nodeNamed(id, { name })]));
  const known = () => emptyWorld({ map: { nodes, edges: [] }, findings: [{ finding, changes: [] }] });
  const run = (path: string, ...more: string[]) => runIn(known(), ["apply", "-f", path, ...more], around);
  const idle = (name: string) =>
    `warning: The exception of orders-db excepts nothing now: no finding unmapped-reader is about "${name}".`;
  const wrong = about(
    "report jobb from 10.0.0.9",
    "backup job",
    "report job from 10.0.0.9",
    "nobody of them",
    "psql from *",
  );
  for (const more of ["--yes", "--dry-run"]) {
    const { code, stderr } = await run(wrong, more);
    expect(code).toBe(0);
    expect(stderr.trim().split("\n")).toEqual([
      `${idle("report jobb from 10.0.0.9")} Did you mean "report job from 10.0.0.9"?`,
      `${idle("backup job")} Did you mean "backup job from 10.0.0.8"?`,
      idle("nobody of them"),
      `${idle("psql from *")} \`about\` is one name, and no pattern.`,
    ]);
  }
  const { stdout } = await run(wrong, "--dry-run", "--json");
  expect((JSON.parse(stdout) as { warnings: string[] }).warnings).toHaveLength(4);
  // Of a credential that nobody knows yet there is nothing to be found.
  expect((await runIn(emptyWorld(), ["apply", "-f", wrong, "--dry-run"], around)).stderr).toBe("");
});

test("an exception to what only a rotation asks for is held against who is known, as no finding of it is ever kept", async () => {
  const sample = parse(readFileSync(file, "utf8")) as Record<string, Record<string, object>>;
  const excepting = (finding: string, about: string) => ({
    ...{ finding, about, owner: "alice", reason: "It goes.", until: "2026-08-20" },
  });
  const [source = ""] = Object.keys(sample.sources ?? {});
  const exceptions = [
    excepting("last-reading", source),
    excepting("last-reading", "left"),
    excepting("last-reading", `${source}s`),
    excepting("old-version-read", "backup job from 10.0.0.8"),
    excepting("old-version-read", Object.keys(sample.consumers ?? {})[0] ?? ""),
    excepting("old-version-read", "backup jobb from 10.0.0.8"),
  ];
  const orders = { ...sample.credentials?.["orders-db"], exceptions };
  const other = { ...sample.sources?.[source], exceptions: exceptions.slice(0, 1) };
  const path = join(folder, "asked.yaml");
  const written = { ...sample, credentials: { "orders-db": orders }, sources: { [source]: other } };
  writeFileSync(path, stringify(written));
  const named = { c1: "orders-db", i2: "backup job from 10.0.0.8" };
  const nodes = new Map(Object.entries(named).map(([id, name]) => [id, nodeNamed(id, { name })]));
  const left = { id: "src_9", section: "sources" as const, name: "left", since: 0, changedAt: 0, endedAt: 9 };
  const world = emptyWorld({ map: { nodes, edges: [] }, entries: [{ ...left, body: { kind: "table" } }] });
  const { code, stderr } = await runIn(world, ["apply", "-f", path, "--dry-run"], around);
  expect(code).toBe(0);
  expect(stderr.trim().split("\n")).toEqual([
    `warning: The exception of ${source} excepts nothing: only rotations ask for last-reading, and they go by the exceptions of their credential.`,
    `warning: The exception of orders-db excepts nothing now: last-reading is about a source, and none is called "${source}s". Did you mean "${source}"?`,
    'warning: The exception of orders-db excepts nothing now: old-version-read is about a reader, and nobody on the map is called "backup jobb from 10.0.0.8". Did you mean "backup job from 10.0.0.8"?',
  ]);
});

test("an estate is a folder as well: parts of it in YAML, and in lines of JSON", async () => {
  const parts = mkdtempSync(join(folder, "parts-"));
  const whole = parse(readFileSync(file, "utf8")) as Record<string, Record<string, unknown>>;
  const { consumers = {}, credentials, ...shared } = whole;
  writeFileSync(join(parts, "shared.yaml"), stringify(shared));
  writeFileSync(join(parts, "credentials.yml"), stringify({ credentials }));
  // As another program may write it.
  const lines = Object.entries(consumers).map(([name, body]) =>
    JSON.stringify({ consumers: { [name]: body } }, null, 1).replaceAll("\n", " "),
  );
  writeFileSync(join(parts, "consumers.jsonl"), `\n${lines.join("\r\n")}`);
  writeFileSync(join(parts, ".hidden.yaml"), "nothing: of this");
  const valid = await runIn(emptyWorld(), ["validate", "-f", parts], around);
  expect([valid.stderr, valid.code]).toEqual(["", 0]);
  expect(valid.stdout).toContain(
    "2 owners, 1 store, 1 issuer, 1 source, 1 policy, 2 consumers, 1 credential",
  );
  const world = emptyWorld();
  const applied = await runIn(world, ["apply", "-f", parts, "--yes", "--as", "alice"], around);
  expect([applied.code, applied.stdout]).toEqual([0, expect.stringContaining("+ credentials › orders-db")]);
  expect(world.calls).toContainEqual(["apply", expect.stringMatching(/^sha256:/), "alice"]);

  writeFileSync(join(parts, "twice.yaml"), "installation: other\n");
  const twice = await runIn(emptyWorld(), ["validate", "-f", parts], around);
  expect([twice.code, twice.stderr]).toEqual([
    2,
    expect.stringMatching(/twice\.yaml:1:1: installation: .*shared\.yaml/),
  ]);
  const none = await runIn(emptyWorld(), ["validate", "-f", mkdtempSync(join(folder, "none-"))], around);
  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("there is no estate in this folder")]);
});

test("schema prints a JSON Schema of the registered kinds", async () => {
  const { stdout } = await runIn(emptyWorld(), ["schema"], around);
  const schema = JSON.parse(stdout) as { title: string };
  expect(schema.title).toBe("Rekey estate");
  for (const kind of Object.keys(kinds.issuers)) expect(stdout).toContain(`"${kind}"`);
});
