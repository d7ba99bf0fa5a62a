/** What `rekey sources` prints, word for word, and that `rekey status` names a source that fails. */
import { expect, test } from "vitest";
import type { KeptFinding } from "../../domain/findings/course.js";
import type { SourceHealth } from "../../inventory/source-health.js";
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
    ...{ owners: ["payments"], places: [], exception: null, firstSeen: now, lastSeen: now, since: now },
  };
  const findings = [{ finding, changes: [] }];
  const world = idle({ findings });
  await golden("status-source-failing", world, ["status"]);
  const { stdout } = await runIn(world, ["status", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ failingSources: ["pg"] });
});
