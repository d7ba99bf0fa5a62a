/** What `rekey sources` prints, word for word, and that `rekey status` names a source that fails. */
import { expect, test } from "vitest";
import type { KeptFinding } from "../../domain/findings/course.js";
import type { SourceHealth } from "../../inventory/source-health.js";
import { edgeOf, evidenceOf, nodeNamed } from "../domain/graph/maps.js";
import { emptyWorld, now, runIn, type World } from "./fakes.js";
import { expectGolden } from "./golden.js";
import { idle } from "./worlds.js";

const hour = 3_600_000;
const day = 24 * hour;

const sound: SourceHealth = {
  ...{
    name: "cluster",
    kind: "kubernetes",
    owner: "platform",
    wholeAt: now - hour,
    watchedSince: now - 40 * day,
  },
  ...{ failure: null, readingSince: null, gaps: [], unreadable: 0, unreadableFirst: [] },
  ...{ every: 6 * hour, nextAt: now + 2 * hour + day / 48 },
};
const failing: SourceHealth = {
  ...sound,
  ...{ name: "pg", kind: "postgres-activity", owner: "payments", wholeAt: now - 9 * day },
  ...{ failure: { sentence: "The variable PG_LOGIN is not set.", at: now - hour }, watchedSince: null },
};
const torn: SourceHealth = {
  ...{
    ...sound,
    name: "vault-log",
    kind: "vault-audit",
    readingSince: now - 60_000,
    every: null,
    nextAt: null,
  },
  ...{ gaps: ["It was emptied.", "A clock was wrong."], unreadable: 12 },
  unreadableFirst: [
    { where: "audit.log, byte 41213", why: "It is no JSON." },
    { where: "audit.log, byte 50001", why: "It is no JSON." },
  ],
};
const never: SourceHealth = { ...sound, name: "csv", kind: "table", wholeAt: null, watchedSince: null };

async function golden(name: string, world: World, argv: readonly string[]): Promise<void> {
  expectGolden(name, argv, await runIn(world, argv));
}

test("sources: when each was read, why not since, and what it could not see", async () => {
  const world = emptyWorld({ sources: [sound, never, failing, torn] });
  await golden("sources", world, ["sources"]);
  await golden("sources-one", world, ["sources", "vault-log"]);
  await golden("sources-csv", world, ["sources", "--format", "csv"]);
  await golden("sources-json", world, ["sources", "pg", "--json"]);
  await golden("sources-unknown", world, ["sources", "vault-lg"]);
  await golden("sources-none", emptyWorld(), ["sources"]);
  await golden("sources-sound", emptyWorld({ sources: [sound] }), ["sources"]);
});

test("status names the sources that could not be read", async () => {
  const finding: KeptFinding = {
    ...{ number: 3, code: "source-failing", severity: "warn", state: "open", credential: null, about: null },
    subject: { id: "src_1", type: "source", name: "pg" },
    sentence: "The last reading of the source pg failed: The variable PG_LOGIN is not set.",
    ...{
      owners: ["payments"],
      places: [],
      sources: ["pg"],
      exception: null,
      firstSeen: now,
      lastSeen: now,
      since: now,
    },
  };
  const findings = [{ finding, changes: [] }];
  const world = idle({ findings });
  await golden("status-source-failing", world, ["status"]);
  const { stdout } = await runIn(world, ["status", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ failingSources: ["pg"] });
});

test("discover says in a few lines what has changed since it was asked for, and where the rest is", async () => {
  const at = now + 1;
  const node = (id: string, name: string, more = {}) =>
    [id, nodeNamed(id, { name, firstSeen: now - 30 * day, learntAt: at, ...more })] as const;
  const known = { learntAt: now - 30 * day };
  const strangers = Array.from({ length: 7 }, (_, index) => node(`i${index}`, `psql from 10.0.0.${index}`));
  const nodes = new Map([
    ...strangers,
    node("l1", "repository shop .env"),
    node("c1", "orders-db", known),
    node("s1", "orders-api", known),
    node("i9", "role backup", { ...known, endedAt: at }),
  ]);
  const edge = (text: string, times: object) => ({
    ...edgeOf(text, { ...evidenceOf("read"), learntAt: at }),
    ...times,
  });
  const edges = [
    ...strangers.map(([id]) => edge(`${id} uses c1`, { learntAt: at })),
    edge("s1 uses c1", known),
    edge("i9 uses c1", { ...known, endedAt: at }),
  ];
  const entries: World["entries"] = [
    {
      ...{ id: "src_1", section: "sources", name: "pg", body: { kind: "postgres-activity" } },
      ...{ since: now, changedAt: now, endedAt: null },
    },
  ];
  const about = (name: string) => ({ id: name, type: "identity", name });
  const finding = (number: number, more: Partial<KeptFinding>): World["findings"][number] => ({
    finding: {
      ...{ number, code: "unmapped-reader", severity: "refuse", state: "open", credential: "c1" },
      ...{ subject: { id: "c1", type: "credential", name: "orders-db" }, about: about("psql from 10.0.0.1") },
      ...{
        sentence: "It is no consumer.",
        owners: ["orders-team"],
        places: [],
        sources: ["pg"],
        exception: null,
      },
      ...{ firstSeen: at, lastSeen: at, since: at },
      ...more,
    },
    changes: [],
  });
  const world = emptyWorld({
    // The reading takes a moment.
    ...{ map: { nodes, edges }, entries, inventoryTime: now + 0.5 },
    findings: [
      finding(1, {}),
      finding(2, { about: about("psql from 10.0.0.2"), since: now - day }),
      finding(3, { code: "overdue", state: "ended", about: null }),
    ],
    answers: {
      discover: () => ({
        ...{ source: "pg", scan: "scn_1", startedAt: now, endedAt: at, failure: null, records: 9, claims: 9 },
        ...{ copies: 0, malformed: 0, malformedFirst: [], gaps: [], covered: null },
      }),
    },
  });
  await golden("discover-news", world, ["discover"]);
  await golden("discover-news-json", world, ["discover", "--json"]);
});
