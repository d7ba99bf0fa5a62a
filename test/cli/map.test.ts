/** What the commands of the map print, word for word. */
import { expect, test } from "vitest";
import { readerName } from "../../domain/discovery/match.js";
import { timesAt } from "../../domain/discovery/times.js";
import type { CredentialClass } from "../../domain/estate/classes.js";
import type { Graph } from "../../domain/graph/types.js";
import { edgeOf, evidenceOf, nodeNamed } from "../domain/graph/maps.js";
import { emptyWorld, now, runIn, type World } from "./fakes.js";
import { expectGolden } from "./golden.js";

const day = 86_400_000;

const names = {
  c1: "orders-db",
  c2: "vault-token",
  s1: "orders-api",
  s2: "orders-report",
  i1: "psql from 10.0.0.9",
  i2: readerName("service account shop/backup of kubernetes prod", {
    serviceAccount: "kubernetes prod shop/backup",
  }),
  l1: "main-vault orders/db",
  y1: "main-vault",
  o1: "orders-team",
  o2: "platform",
};

const classes: Readonly<Record<string, CredentialClass>> = {
  c1: "service-account",
  c2: "token",
  i2: "workload-identity",
};

const seen = (kind: "read" | "session" | "potential", ageMs: number, source: string, sentence: string) => ({
  ...evidenceOf(kind, now - ageMs),
  ...{ source, sentence, firstSeen: now - 20 * day },
});

/** The map with some nodes more. */
function mapNamed(more: Readonly<Record<string, string>>): Graph {
  const nodes = Object.entries(more).map(([id, name]) => [id, nodeNamed(id, { name })] as const);
  return { ...map, nodes: new Map([...map.nodes, ...nodes]) };
}

const map: Graph = {
  nodes: new Map(
    Object.entries(names).map(([id, name]) => [
      id,
      nodeNamed(id, { name, firstSeen: now - 30 * day, ...(classes[id] ? { class: classes[id] } : {}) }),
    ]),
  ),
  edges: [
    edgeOf("c1 owned-by o1"),
    edgeOf("c2 owned-by o2"),
    edgeOf("s1 owned-by o1"),
    edgeOf("s2 owned-by o1"),
    edgeOf("c1 stored-in l1"),
    edgeOf("l1 stored-in y1"),
    edgeOf("c2 can-read y1"),
    edgeOf(
      "s1 uses c1",
      evidenceOf("declared"),
      seen("session", 60_000, "orders-pg", "12 sessions of orders-api."),
    ),
    edgeOf("s2 uses c1"),
    edgeOf("i1 uses c1", seen("read", 2 * day, "vault-log", "It read version 7.")),
    edgeOf(
      "i2 can-read l1",
      seen(
        "potential",
        day,
        "cluster",
        "shop/RoleBinding/backup binds shop/Role/backup, which may read every Secret of shop.",
      ),
    ),
  ].map((edge) => ({ ...edge, firstSeen: now - 30 * day })),
};

const world = () => emptyWorld({ map });

async function golden(name: string, from: World, argv: readonly string[]): Promise<void> {
  expectGolden(name, argv, await runIn(from, argv));
}

test("consumers: who uses it, how that is known and since when", async () => {
  await golden("consumers", world(), ["consumers", "orders-db"]);
  await golden("consumers-json", world(), ["consumers", "orders-db", "--json"]);
  const words = {
    ...{ purpose: "Monthly upload of the payroll.", expiresAt: now + 86_400_000, by: ["known"] },
  };
  await golden("consumers-said", emptyWorld({ map, words }), ["consumers", "orders-db"]);
  await golden("consumers-none", world(), ["consumers", "vault-token"]);
});

test("what is long past has its day, and no number of days that somebody has to reckon with", async () => {
  const edges = map.edges.map((edge) => ({ ...edge, firstSeen: now - 1_001 * day }));
  const { stdout } = await runIn(emptyWorld({ map: { ...map, edges } }), ["consumers", "orders-db"]);
  expect(stdout).toContain("2023-11-04");
  expect(stdout).toContain("1 min ago");
  expect(stdout).not.toContain("1001 d");
});

test("a name that is not there has its nearest as a hint", async () => {
  await golden("consumers-unknown", world(), ["consumers", "order-db"]);
});

test("a name that several bear asks which", async () => {
  const nodes = new Map([...map.nodes, ["s9", nodeNamed("s9", { name: "orders-db" })]]);
  const twice = emptyWorld({ map: { ...map, nodes } });
  await golden("blast-ambiguous", twice, ["blast", "orders-db"]);
  expect((await runIn(twice, ["blast", "orders-db", "--type", "credential"])).code).toBe(0);
});

test("a name of something else says what that is, and a type that there is none of is no type", async () => {
  const { stderr } = await runIn(world(), ["order", "main-vault"]);
  expect(stderr).toContain('hint: "main-vault" is the name of a system.');
  const { stderr: owner } = await runIn(world(), ["order", "platform"]);
  expect(owner).toContain('hint: "platform" is the name of an owner.');
  const { stderr: typed } = await runIn(world(), ["blast", "orders-db", "--type", "thing"]);
  expect(typed).toContain('There is no type of thing "thing".');
});

test("the beginning of a name has the names that begin with it as a hint", async () => {
  const { stderr } = await runIn(world(), ["blast", "PSQL"]);
  expect(stderr).toContain('hint: Did you mean "psql from 10.0.0.9"?');
  const { stderr: several } = await runIn(world(), ["blast", "orders-"]);
  expect(several).toContain(
    'hint: Names begin with it: "orders-api", "orders-db", "orders-report", "orders-team".',
  );
  const { stderr: none } = await runIn(world(), ["blast", "zebra stripes"]);
  expect(none).toContain("hint: `rekey get` shows what was applied");
});

test("consumers: who is declared and was seen at a copy is one, and who only could comes last", async () => {
  const read = seen("read", day, "vault-log", "It read version 7.");
  const twice = { ...map, edges: [edgeOf("a1 can-read l1"), ...map.edges, edgeOf("s1 uses l1", read)] };
  const nodes = new Map([...map.nodes, ["a1", nodeNamed("i9", { id: "a1", name: "a reader" })]]);
  const { stdout } = await runIn(emptyWorld({ map: { ...twice, nodes } }), ["consumers", "orders-db"]);
  const [head, , ...rows] = stdout.split("\n");
  expect(head).toBe(
    "3 consumers of orders-db, and 3 that could read it. 3 of them are unmapped: the estate declares no such consumer of it.",
  );
  expect(rows.map((row) => row.split("  ")[0])).toEqual([
    ...["orders-api", "orders-report", "psql from 10.0.0.9", "orders-api"],
    ...["a reader", names.i2, "vault-token", ""],
  ]);
});

test("C7: consumers: a source that is called estate declares nobody", async () => {
  const said = { ...evidenceOf("declared"), source: "src_0" };
  const nodes = new Map([...map.nodes, ["s3", nodeNamed("s3", { name: "orders-export" })]]);
  const edges = [...map.edges, edgeOf("s3 uses c1", said)];
  const entries = [
    {
      ...{ id: "src_0", section: "sources" as const, name: "estate", body: { kind: "csv" } },
      ...{ since: now, changedAt: now, endedAt: null },
    },
  ];
  const called = emptyWorld({ map: { nodes, edges }, entries });
  const { stdout } = await runIn(called, ["consumers", "orders-db", "--json"]);
  const { consumers } = JSON.parse(stdout) as { consumers: { name: string; isUnmapped: boolean }[] };
  expect(consumers.filter(({ isUnmapped }) => isUnmapped).map(({ name }) => name)).toEqual([
    ...["orders-export", "psql from 10.0.0.9", names.i2],
  ]);
});

test("blast: of somebody whom nobody explains, and of a store", async () => {
  const { stdout } = await runIn(world(), ["blast", "psql from 10.0.0.9", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ type: "identity", exposed: [{ name: "orders-db" }] });
  expect((await runIn(world(), ["blast", "main-vault"])).code).toBe(0);
});

test("lists of the map as CSV, and a blast radius as a picture", async () => {
  await golden("consumers-csv", world(), ["consumers", "orders-db", "--format", "csv"]);
  await golden("path-csv", world(), ["path", "orders-api", "main-vault", "--format", "csv"]);
  await golden("order-csv", world(), ["order", "vault-token", "orders-db", "--format", "csv"]);
  await golden("blast-csv", world(), ["blast", "vault-token", "--format", "csv"]);
  await golden("blast-mermaid", world(), ["blast", "vault-token", "--format", "mermaid"]);
  await golden("blast-dot", world(), ["blast", "vault-token", "--format", "dot"]);
  await golden("blast-form", world(), ["blast", "vault-token", "--format", "svg"]);
});

test("blast: what breaks and what is exposed, with the way and its owners", async () => {
  await golden("blast", world(), ["blast", "vault-token"]);
  await golden("blast-owner", world(), ["blast", "orders-team"]);
  await golden("blast-nothing", world(), ["blast", "orders-report"]);
});

test("blast: of many things the nearest, and whose the others are", async () => {
  const users = Array.from({ length: 9 }, (_, i) => `s${i + 20}`);
  const nodes = new Map([...map.nodes, ...users.map((id) => [id, nodeNamed(id)] as const)]);
  const edges = [
    ...map.edges,
    ...users.map((id) => edgeOf(`${id} uses c1`)),
    ...users.map((id, i) => edgeOf(`${id} owned-by ${i < 3 ? "o1" : "o2"}`)),
  ];
  const large = emptyWorld({ map: { nodes, edges } });
  await golden("blast-limit", large, ["blast", "orders-db", "--limit", "3"]);
  await golden("blast-limit-json", large, ["blast", "orders-db", "--limit", "1", "--json"]);
  await golden("blast-limit-wrong", large, ["blast", "orders-db", "--limit", "0"]);
});

test("graph: as a table, and for programs that draw", async () => {
  await golden("graph", world(), ["graph"]);
  for (const form of ["mermaid", "dot", "csv"])
    await golden(`graph-${form}`, world(), ["graph", "--format", form]);
  await golden("graph-form-unknown", world(), ["graph", "--format", "svg"]);
  await golden("graph-empty", emptyWorld(), ["graph"]);
});

test("graph: of one class, with what it is connected to", async () => {
  await golden("graph-class", world(), ["graph", "--class", "workload-identity"]);
  await golden("graph-class-unknown", world(), ["graph", "--class", "workload"]);
  await golden("graph-class-none", world(), ["graph", "--class", "agent"]);
  const { stdout } = await runIn(world(), ["graph", "--class", "token", "--json"]);
  const { nodes } = JSON.parse(stdout) as { nodes: { name: string }[] };
  expect(nodes.map(({ name }) => name).sort()).toEqual(["main-vault", "platform", "vault-token"]);
});

const report = {
  ...{ source: "vault-log", scan: "scn_1", startedAt: now - 5_000, endedAt: now, failure: null },
  ...{ records: 120_000, claims: 14, copies: 0, malformed: 12, gaps: [] },
  malformedFirst: [{ where: "audit.log, byte 41213", why: "It is no JSON." }],
  covered: { from: now - 7 * day, until: now },
};

test("discover: what was read, what could not be, and how far it says anything", async () => {
  const sources = ["vault-log", "orders-sessions"].map((name, index) => ({
    ...{ id: `src_${index}`, section: "sources" as const, name, body: { kind: "vault-audit" } },
    ...{ since: now, changedAt: now, endedAt: null },
  }));
  const away = {
    ...report,
    source: "orders-sessions",
    records: 0,
    claims: 0,
    malformed: 0,
    malformedFirst: [],
  };
  const broken = { ...away, endedAt: null, covered: null, failure: "127.0.0.1:5432 does not answer." };
  const blind = {
    ...away,
    covered: null,
    gaps: ["Sessions of others are hidden: pg_read_all_stats is missing."],
    untold: "1 notice of new findings could not be sent: notifier mail: It is away.",
  };
  const reading = (...reports: { source: string }[]) => {
    const entries = sources.filter(({ name }) => reports.some(({ source }) => source === name));
    const discover = (asked: unknown) => reports.find(({ source }) => source === Object(asked).name);
    return emptyWorld({ entries, answers: { discover } });
  };
  await golden("discover", reading(report, blind), ["discover"]);
  await golden(
    "discover-long",
    emptyWorld({
      entries: sources,
      answers: { discover: (asked) => (Object(asked).name === "vault-log" ? null : blind) },
    }),
    ["discover"],
  );
  await golden("discover-unknown", reading(report), ["discover", "vault-lg"]);
  await golden("discover-broken", reading(report, broken), ["discover"]);
  await golden("discover-json", reading(report), ["discover", "vault-log", "--json"]);
  const anew = emptyWorld({
    entries: sources.slice(0, 1),
    answers: {
      discover: (asked) => ({ ...report, source: `${Object(asked).name}, anew: ${Object(asked).anew}` }),
    },
  });
  await golden("discover-anew", anew, ["discover", "vault-log", "--anew"]);
  await golden("discover-anew-all", anew, ["discover", "--anew"]);
  await golden("discover-no-sources", emptyWorld(), ["discover"]);
});

test("path: why one thing depends on another, and that nothing leads there", async () => {
  await golden("path", world(), ["path", "orders-api", "main-vault"]);
  await golden("path-json", world(), ["path", "orders-api", "orders-db", "--json"]);
  await golden("path-none", world(), ["path", "orders-db", "orders-api"]);
  const { stderr } = await runIn(world(), ["path", "main-vault", "psql from 10.0.0.9"]);
  expect(stderr).toContain("`rekey path 'psql from 10.0.0.9' main-vault`");
});

test("H26: order: what unlocks others goes first, and a ring is named", async () => {
  await golden("order", world(), ["order", "orders-db", "vault-token"]);
  const ring = { ...map, edges: [...map.edges, edgeOf("c1 mints c2")] };
  await golden("order-ring", emptyWorld({ map: ring }), ["order", "orders-db", "vault-token"]);
  const shop = mapNamed({ c3: "billing-db", c4: "stock-db", s3: "billing-job" });
  const edges = ["s1 uses c3", "s2 uses c3", "s3 uses c3", "s1 uses c4"].map((said) =>
    edgeOf(said, evidenceOf("declared")),
  );
  const sharing = emptyWorld({ map: { ...shop, edges: [...map.edges, ...edges] } });
  const asked = ["order", "orders-db", "billing-db", "stock-db", "vault-token"];
  await golden("order-waves", sharing, asked);
  await golden("order-waves-json", sharing, [...asked, "--json"]);
});

test("C24: baseline: who, with what, from where, when and how often, and what is new", async () => {
  const thursday = Date.UTC(2026, 0, 1, 3);
  const api = {
    ...{ reader: "orders-api", type: "consumer" as const, source: "src_0", count: 700 },
    ...{ first: now - 30 * day, last: now - 60_000, times: 0x7fffffff },
    traits: { applicationName: "orders-api", address: "10.0.0.4" },
  };
  const sightings = [
    api,
    {
      ...{ reader: "nightly-export from 10.0.7.12", type: "identity" as const, source: "src_0", count: 1 },
      ...{ first: now - 2 * day, last: now - 2 * day, times: timesAt(thursday) },
      traits: { address: "10.0.7.12" },
    },
  ];
  const entries = [
    {
      ...{
        id: "src_0",
        section: "sources" as const,
        name: "orders-sessions",
        body: { kind: "postgres-activity" },
      },
      ...{ since: now, changedAt: now, endedAt: null },
    },
  ];
  await golden("baseline", { ...world(), sightings, entries }, ["baseline", "orders-db"]);
  await golden("baseline-since", { ...world(), sightings, entries }, [
    "baseline",
    "orders-db",
    "--since",
    "1h",
  ]);
  await golden("baseline-since-day", { ...world(), sightings, entries }, [
    "baseline",
    "orders-db",
    "--since",
    "2026-07-31",
  ]);
  const anonymous = [
    { source: "src_0", last: now - 60_000, sentence: "For s3 in eu-central-1." },
    { source: "src_gone", last: now - 3 * day, sentence: "For sts." },
  ];
  const used = { ...world(), entries, anonymous };
  await golden("baseline-anonymous", used, ["baseline", "orders-db"]);
  await golden("baseline-anonymous-seen", { ...used, sightings }, ["baseline", "orders-db"]);
  await golden("consumers-anonymous", used, ["consumers", "orders-db"]);
  await golden("baseline-none", world(), ["baseline", "orders-db"]);
  await golden("baseline-bad", world(), ["baseline", "orders-db", "--since", "soon"]);
  await golden("baseline-to-come", world(), ["baseline", "orders-db", "--since", "2030-01-01"]);
});
