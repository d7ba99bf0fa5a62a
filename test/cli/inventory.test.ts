/** Commands on a real inventory: what was applied and recorded is what is shown. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { kinds } from "../../adapters/registry.js";
import { inventoryIn } from "../../client/cli/inventory.js";
import { starterEstate } from "../../client/cli/starter.js";
import type { Claim } from "../../domain/discovery/said.js";
import type { KeptFinding } from "../../domain/findings/course.js";
import { type Database, read } from "../../inventory/database.js";
import { entryNamed } from "../../inventory/estate.js";
import { appendEvent } from "../../inventory/events.js";
import { recordIncident } from "../../inventory/incidents.js";
import { declaredIn } from "../../inventory/rematch.js";
import { beginScan, notePart } from "../../inventory/scans.js";
import { migratedDatabase } from "../inventory/database.js";
import { applySample, newId, openedRotation, t0 } from "../inventory/world.js";
import { registeredShapes } from "../support/shapes.js";
import { emptyWorld, now, runIn, type Surroundings, type World } from "./fakes.js";

function around(db: Database, more: Surroundings = {}): Surroundings {
  return {
    ...more,
    inventory: inventoryIn(db, { randomId: newId, shapes: registeredShapes }),
    deps: { kinds },
  };
}

async function jsonOf(
  world: World,
  argv: string[],
  surroundings: Surroundings,
): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await runIn(world, [...argv, "--json"], surroundings);
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as Record<string, unknown>;
}

test("an estate is applied once, shown as it is in force, and changed by the next", async () => {
  const { db } = await migratedDatabase();
  const folder = mkdtempSync(join(tmpdir(), "rekey-apply-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "estate.yaml");
  const signable = starterEstate.replace("keys: []", `keys: [ed25519:${"a".repeat(42)}A]`);
  writeFileSync(file, signable);
  const apply = (...flags: string[]) =>
    runIn(emptyWorld(), ["apply", "-f", file, "--yes", ...flags], around(db));

  expect((await apply()).stdout).toContain("Applied as revision 1.");
  expect((await apply()).stdout).toContain("nothing would change");
  const entries = await runIn(emptyWorld(), ["get", "credentials"], around(db));
  expect(entries.stdout).toMatch(/orders-db +orders-team +standard +orders-pg +files +2/);

  writeFileSync(file, signable.replace("quietPeriod: 1h", "quietPeriod: 2h"));
  const changed = await apply("--as", "alice");
  expect(changed.stdout).toContain("~ policies › standard  (quietPeriodMs)");
  expect(await jsonOf(emptyWorld(), ["get"], around(db))).toMatchObject({ revision: 2 });

  const status = await runIn(emptyWorld(), ["status"], around(db));
  expect(status.stdout).toMatch(/orders-db +orders-team +idle +never/);
});

test("nothing is applied that was not shown: it is refused where somebody has applied meanwhile", async () => {
  const { db } = await migratedDatabase();
  const folder = mkdtempSync(join(tmpdir(), "rekey-shown-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const text = starterEstate.replace("keys: []", `keys: [ed25519:${"a".repeat(42)}A]`);
  const apply = (estate: string, how: Surroundings, ...flags: string[]) => {
    const file = join(folder, `${newId("estate")}.yaml`);
    writeFileSync(file, estate);
    return runIn(emptyWorld(), ["apply", "-f", file, ...flags], { ...around(db), ...how });
  };
  const has = (note: string) => text.replace("installation:", `# ${note}\ninstallation:`);
  expect((await apply(text, {}, "--yes")).code).toBe(0);
  const mine = has("mine").replace("quietPeriod: 1h", "quietPeriod: 2h");
  // What somebody else adds was not shown as ending.
  const owner = "  late: { kind: person, email: late@example.com }\n";
  const theirs = (times: number) => has(`theirs ${times}`).replace("owners:\n", `owners:\n${owner}`);
  const applies = async (times: number) => {
    const { code, stdout } = await apply(theirs(times), {}, "--yes", "--as", "bob");
    expect([code, stdout]).toEqual([0, expect.stringContaining("Applied as revision")]);
  };

  // While the question waits for an answer.
  const answer = async function* () {
    await applies(1);
    yield "y\n";
  };
  const asked = await apply(mine, { stdin: answer(), stdinTerminal: true });
  expect(asked.stdout).toContain("~ policies › standard  (quietPeriodMs)");
  expect(asked.stdout).not.toContain("late");
  expect([asked.code, asked.stderr]).toEqual([
    1,
    expect.stringContaining("Somebody else has applied an estate meanwhile."),
  ]);
  expect(asked.stderr).toContain("hint: Apply again: the difference is told anew.");
  await expect(entryNamed(db, "owners", "late")).resolves.toMatchObject({ endedAt: null });

  // And where nobody is asked.
  expect((await apply(text, {}, "--yes")).stdout).toContain("- owners › late");
  const real = inventoryIn(db, { randomId: newId, shapes: registeredShapes });
  const late: Surroundings = {
    inventory: {
      ...real,
      apply: async (...given) => {
        await applies(2);
        return real.apply(...given);
      },
    },
  };
  const unasked = await apply(mine, late, "--yes");
  expect([unasked.code, unasked.stderr]).toEqual([1, expect.stringContaining("meanwhile")]);
  await expect(entryNamed(db, "owners", "late")).resolves.toMatchObject({ endedAt: null });
  // Once more it is told, and applied.
  expect((await apply(mine, {}, "--yes")).stdout).toContain("- owners › late");
});

test("who was seen is told with the name of the source, also once that has left the estate", async () => {
  const { db } = await migratedDatabase();
  const folder = mkdtempSync(join(tmpdir(), "rekey-names-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "estate.yaml");
  const text = starterEstate.replace("keys: []", `keys: [ed25519:${"a".repeat(42)}A]`);
  const apply = (estate: string) => {
    writeFileSync(file, estate);
    return runIn(emptyWorld(), ["apply", "-f", file, "--yes"], around(db));
  };
  await apply(text);
  const { id: source } = await entryNamed(db, "sources", "orders-sessions");
  const scan = { source, shows: "now", settings: "so" } as const;
  const { id } = await beginScan(db, { ...scan, now: now - 1_000, newId: () => newId("scn") });
  const account = { is: "account", issuer: "orders-pg", account: "orders_a" } as const;
  const claim: Claim = {
    ...{ record: "sessions", known: "session", type: "uses", sentence: "It is connected." },
    from: { is: "reader", name: "psql from 10.0.0.9", traits: { address: "10.0.0.9" } },
    to: account,
    seen: { first: now - 1_000, last: now - 1_000, count: 1 },
  };
  const use = { record: "key", of: account, seen: claim.seen, sentence: "It was used." } as const;
  const none = { copies: [], listed: [], malformed: [], covered: null, gaps: [] };
  const told = { ...none, records: 2, claims: [claim], uses: [use], cursor: "1" };
  const declared = await read(db, (tx) => declaredIn(tx, registeredShapes));
  await notePart(db, { ...scan, id }, null, told, declared, now);

  const without = text.replace(/\n# Where the use[\s\S]*?(?=\n# How patient)/, "\n");
  expect(without).not.toContain("orders-sessions");
  for (const estate of [text, without]) {
    await apply(estate);
    const outputs = await Promise.all(
      [
        ["graph"],
        ["graph", "--format", "csv"],
        ["consumers", "orders-db"],
        ["consumers", "orders-db", "--json"],
        ["baseline", "orders-db", "--format", "csv"],
        ["baseline", "orders-db", "--json"],
        ["changes", "--since", "2000-01-01", "--json"],
      ].map((argv) => runIn(emptyWorld(), argv, around(db))),
    );
    for (const { stdout, code } of outputs) {
      expect([code, stdout]).toEqual([0, expect.stringContaining("orders-sessions")]);
      expect(stdout).not.toContain(source);
    }
    const { stdout: found } = await runIn(emptyWorld(), ["findings", "--json"], around(db));
    const { findings } = JSON.parse(found) as { readonly findings: readonly KeptFinding[] };
    const showing = new Set(findings.flatMap(({ sources }) => sources));
    expect([...showing].sort()).toEqual(["estate", "orders-sessions"]);
    // Each of the two that the source told of: the session, and the use by whom nobody says.
    const [, , , said, , usual] = outputs.map(({ stdout }) => stdout);
    for (const text of [said, usual]) expect(text?.split('"orders-sessions"')).toHaveLength(3);
  }
});

test("a rotation is shown from the records while its workflow is silent", async () => {
  const { db } = await migratedDatabase();
  const { orders } = await applySample(db);
  const { rotation, epoch } = await openedRotation(db, orders);
  const name = "orders-db";
  const world = () => emptyWorld({ answers: { standing: () => "running" } });

  const shown = await runIn(world(), ["status", name], around(db));
  expect(shown.stdout).toContain(rotation);
  expect(shown.stdout).toContain("its workflow did not answer");

  const seized = { type: "seized", at: t0, epoch, change: 0, slots: [], places: [] } as const;
  await appendEvent(db, rotation, epoch, seized);
  await appendEvent(db, rotation, epoch, { type: "held", at: t0 + 1_000, reason: "Somebody is needed." });
  const held = await runIn(world(), ["status", name], around(db));
  expect(held.stdout).toContain("needs an operator: Somebody is needed.");
  expect(held.stdout).toContain(`rekey resume ${name} --exit`);

  const waited = await runIn(world(), ["rotate", name, "--wait"], around(db));
  expect([waited.code, waited.stdout]).toEqual([4, expect.stringContaining("Somebody is needed.")]);
});

test("what is to be signed off is shown until it is", async () => {
  const { db } = await migratedDatabase();
  const { orders } = await applySample(db);
  await recordIncident(db, {
    id: "inc_1",
    credential: orders,
    rotation: null,
    reason: "in a public log",
    reportedBy: "alice",
    at: t0,
    matched: [],
    signOffBy: t0 + 1_000,
  });
  const { stdout } = await runIn(emptyWorld(), ["status"], around(db));
  expect(stdout).toContain("1 emergency to sign off");
});
