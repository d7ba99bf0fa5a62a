/** What the commands about findings, figures and uses print, word for word. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { findingCodes, findingWords } from "../../domain/findings/codes.js";
import type { KeptFinding } from "../../domain/findings/course.js";
import type { Figure } from "../../domain/findings/metrics.js";
import type { Graph } from "../../domain/graph/types.js";
import type { Entry } from "../../inventory/estate.js";
import { edgeOf, evidenceOf, nodeNamed } from "../domain/graph/maps.js";
import { emptyWorld, now, runIn, type World } from "./fakes.js";
import { expectGolden } from "./golden.js";

const day = 86_400_000;

const base: KeptFinding = {
  ...{ number: 12, code: "unmapped-reader", severity: "refuse", state: "open", credential: "c1" },
  subject: { id: "c1", type: "credential", name: "orders-db" },
  about: { id: "i1", type: "identity", name: "psql from 10.0.0.9" },
  sentence: "psql from 10.0.0.9 uses it and is no declared consumer of it.",
  ...{ owners: ["orders-team"], places: [], sources: ["pg-sessions"], exception: null },
  ...{ firstSeen: now - 30 * day, lastSeen: now, since: now - 2 * day },
};

const exception = { owner: "orders-team", reason: "It goes this month.", until: now + 9 * day };
const opened = { at: now - 30 * day, state: "open", exception: null } as const;

const kept: World["findings"] = [
  {
    finding: base,
    changes: [
      opened,
      { at: now - 20 * day, state: "excepted", exception: { ...exception, until: now - 2 * day } },
      { ...opened, at: now - 2 * day },
    ],
  },
  {
    finding: {
      ...base,
      ...{ number: 14, code: "overdue", severity: "warn", state: "excepted", exception, about: null },
      sentence: "Its rotation was due on 2026-07-01 00:00 UTC.",
    },
    changes: [opened, { at: now - day, state: "excepted", exception }],
  },
  {
    finding: {
      ...base,
      ...{ number: 15, code: "same-value", severity: "warn", about: null, credential: null, owners: [] },
      subject: { id: "val_1", type: "value", name: "repository shop .env and 2 more" },
      places: ["repository shop .env", "repository shop ci.yaml", "repository shop compose.yaml"],
      sentence: "One value stands in 3 places.",
    },
    changes: [opened],
  },
  {
    finding: { ...base, number: 9, code: "no-owner", state: "ended", about: null, since: now - day },
    changes: [opened, { ...opened, at: now - day, state: "ended" }],
  },
];

const node = nodeNamed("c1", { name: "orders-db", firstSeen: now - 30 * day });
const times = { since: now, changedAt: now, endedAt: null };
const owners: Entry[] = ["orders-team", "platform"].map((name, i) => {
  return { id: `own_${i}`, section: "owners", name, body: {}, ...times };
});

const world = (more: Partial<World> = {}) =>
  emptyWorld({
    entries: owners,
    findings: kept,
    map: { nodes: new Map([["c1", node]]), edges: [] },
    ...more,
  });

async function golden(name: string, from: World, argv: readonly string[]): Promise<void> {
  expectGolden(name, argv, await runIn(from, argv));
}

test("findings: what has not ended, worst first, and 3 while one of them refuses a rotation", async () => {
  await golden("findings", world(), ["findings"]);
  await golden("findings-csv", world(), ["findings", "--format", "csv"]);
  await golden("findings-json", world(), ["findings", "--code", "overdue", "--json"]);
  await golden("findings-none", emptyWorld(), ["findings"]);
  await golden("findings-limit", world(), ["findings", "--limit", "1"]);
});

test("findings: by code, severity, state, owner and credential", async () => {
  const numbers = async (...argv: string[]) => {
    const { code, stdout } = await runIn(world(), ["findings", ...argv, "--json"]);
    const { findings } = JSON.parse(stdout) as { findings: KeptFinding[] };
    return [code, ...findings.map(({ number }) => number)];
  };
  expect(await numbers()).toEqual([3, 12, 14, 15]);
  expect(await numbers("--code", "same-value")).toEqual([0, 15]);
  expect(await numbers("--severity", "warn")).toEqual([0, 14, 15]);
  expect(await numbers("--state", "excepted")).toEqual([0, 14]);
  expect(await numbers("--state", "ended")).toEqual([0, 9]);
  expect(await numbers("--owner", "orders-team", "--severity", "warn")).toEqual([0, 14]);
  expect(await numbers("--credential", "orders-db")).toEqual([3, 12, 14]);
  const { stderr } = await runIn(world(), ["findings", "--owner", "order-team"]);
  expect(stderr).toBe('error: There is no owner "order-team".\nhint: Did you mean "orders-team"?\n');
  await golden("findings-code-unknown", world(), ["findings", "--code", "over-due"]);
  await golden("findings-form-unknown", world(), ["findings", "--format", "xml"]);
  await golden("findings-limit-wrong", world(), ["findings", "--limit", "many"]);
});

test("findings: one, with what it means, what mends it, and what became of it", async () => {
  await golden("finding", world(), ["findings", "12"]);
  await golden("finding-excepted", world(), ["findings", "14"]);
  await golden("finding-cluster", world(), ["findings", "15"]);
  await golden("finding-ended", world(), ["findings", "9"]);
  await golden("finding-unknown", world(), ["findings", "99"]);
  await golden("finding-json", world(), ["findings", "12", "--json"]);
});

test("findings are brought up to date first, unless that is not wanted", async () => {
  const calls = async (...argv: string[]) => {
    const one = world();
    await runIn(one, argv);
    return one.calls.length;
  };
  expect(await calls("findings")).toBe(1);
  expect(await calls("findings", "--no-refresh")).toBe(0);
  expect(await calls("metrics")).toBe(1);
});

test("every code has its heading on the page, with what it means", () => {
  const page = readFileSync(fileURLToPath(new URL("../../docs/findings.md", import.meta.url)), "utf8");
  const headings = [...page.matchAll(/^## `([a-z-]+)`$/gm)].map(([, code]) => code);
  expect(headings).toEqual(findingCodes);
  for (const code of findingCodes) expect(page).toContain(findingWords(code).what);
});

test("metrics: each figure with what it is a part of, and what is not counted", async () => {
  const figures: Figure[] = [
    {
      ...{ name: "owned", numerator: 199, denominator: 200, leftOut: 0 },
      ...{
        what: "credentials that somebody answers for, of all that are known",
        notCounted: "what nobody names",
      },
    },
    {
      ...{ name: "offboarded", numerator: 0, denominator: 0, leftOut: 3 },
      ...{ what: "credentials that have left", notCounted: "those that were never rotated" },
    },
  ];
  await golden("metrics", world({ figures }), ["metrics"]);
  await golden("metrics-csv", world({ figures }), ["metrics", "--format", "csv"]);
  await golden("metrics-json", world({ figures }), ["metrics", "--json"]);
});

const useOf = (name: string, is: World["uses"][number]["is"], sentence: string): World["uses"][number] => ({
  ...{ credential: nodeNamed("c1", { name }), is, sentence, windowMs: 46 * day, owners: ["orders-team"] },
  ...{ lastUsed: is === "live" ? now - day : null, watchedSince: is === "unwatched" ? null : now - 60 * day },
});

test("C21: dormant: with the window, and how many nothing can be said of", async () => {
  const uses = [
    useOf("orders-db", "live", "Last used on 2026-07-31 09:30 UTC."),
    useOf(
      "old-token",
      "dormant",
      "Nobody was seen since 2026-06-02 09:30 UTC, when somebody began to look; it may be silent for 46 d.",
    ),
    useOf("mail", "unwatched", "No source would see its use, so nobody can say."),
  ];
  await golden("dormant", world({ uses }), ["dormant"]);
  await golden("dormant-all", world({ uses }), ["dormant", "--all", "--format", "csv"]);
  await golden("dormant-json", world({ uses }), ["dormant", "--window", "90d", "--json"]);
  await golden("dormant-window-wrong", world({ uses }), ["dormant", "--window", "90"]);
});

/** It was so, and Rekey learnt of it, then; or later. */
const at = (firstSeen: number, learntAt = firstSeen) => ({ firstSeen, learntAt });
const seen = (ageMs: number) => ({
  ...evidenceOf("session", now - ageMs),
  ...at(now - ageMs),
  source: "orders-pg",
});
const names = {
  ...{ c1: "orders-db", c2: "mail", s1: "orders-api", s2: "orders-report" },
  ...{ i1: "psql from 10.0.0.9", o1: "orders-team" },
};
const map: Graph = {
  nodes: new Map(
    Object.entries(names).map(([id, name]) => [
      id,
      nodeNamed(id, { name, ...(id === "i1" ? at(now - 20 * day, now - 2 * day) : at(now - 90 * day)) }),
    ]),
  ),
  edges: [
    {
      ...edgeOf("s1 uses c1", { ...evidenceOf("declared"), ...at(now - 90 * day) }, seen(3 * day)),
      ...at(now - 90 * day),
    },
    { ...edgeOf("s2 uses c1"), ...at(now - 90 * day), endedAt: null },
    // A log of before was read two days ago.
    { ...edgeOf("i1 uses c1", seen(2 * day)), ...at(now - 20 * day, now - 2 * day) },
    { ...edgeOf("s2 uses c2"), ...at(now - 90 * day), endedAt: now - day },
    { ...edgeOf("c1 owned-by o1"), ...at(now - 90 * day) },
    { ...edgeOf("s1 owned-by o1"), ...at(now - 90 * day) },
  ],
};

test("shared and orphaned", async () => {
  await golden("shared", world({ map }), ["shared"]);
  await golden("shared-csv", world({ map }), ["shared", "--format", "csv"]);
  await golden("shared-none", world(), ["shared"]);
  await golden("orphaned", world({ map }), ["orphaned"]);
  await golden("orphaned-json", world({ map }), ["orphaned", "--json"]);
  await golden("orphaned-none", emptyWorld(), ["orphaned"]);
});

test("changes: what came, ended and was learnt, in the order in which it happened", async () => {
  await golden("changes", world({ map }), ["changes"]);
  await golden("changes-csv", world({ map }), [
    "changes",
    "--since",
    "2026-07-30",
    "--until",
    "2026-08-01",
    "--format",
    "csv",
  ]);
  // Its evidence has moved to whoever that is now: how it was known is not known of it any more.
  const left = { ...edgeOf("s1 uses c2"), evidence: [], ...at(now - 90 * day), endedAt: now - day };
  const { stdout } = await runIn(world({ map: { ...map, edges: [left] } }), ["changes", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ changes: [{}, { change: "ended", known: "", sources: [] }] });
  await golden("changes-json", world({ map }), ["changes", "--since", "2d", "--json"]);
  await golden("changes-record", world({ map }), ["changes", "--since", "30d", "--by", "record"]);
  // Copies that sources met, as the inventory works them out; one of them is over.
  const met = { ...evidenceOf("declared"), kind: "met" as const, source: "shop-repository" };
  const copies = [
    { ...edgeOf("c1 copied-to l1", met), ...at(now - 3 * day) },
    { ...edgeOf("c1 leaked-to l2", met), ...at(now - 20 * day), endedAt: now - day },
  ];
  const places = ["l1", "l2"].map((id) => ({
    ...nodeNamed(id, { name: `repository shop ${id}.env`, type: "location" }),
    ...at(now - 90 * day),
  }));
  const nodes = new Map([...map.nodes, ...places.map((place) => [place.id, place] as const)]);
  await golden("changes-copies", world({ map: { nodes, edges: copies } }), ["changes"]);
  await golden("changes-by-wrong", world({ map }), ["changes", "--by", "time"]);
  await golden("changes-moment-wrong", world({ map }), ["changes", "--since", "last week"]);
  await golden("changes-to-come", world({ map }), ["changes", "--since", "2030-01-01"]);
  await golden("changes-reversed", world({ map }), [
    "changes",
    "--since",
    "2026-08-01",
    "--until",
    "2026-07-01T00:00:00Z",
  ]);
});
