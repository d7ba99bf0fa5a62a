/** The contract of the sources with a program of the user's own. */
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { commandSource } from "../../../adapters/sources/command.js";
import { testMark } from "../../support/mark.js";
import { copyText, leaked, leakedAddress, oddName, scanned, sourceContract } from "../source.js";
import { call, depsOf } from "../stores/world.js";

const value = "Canary-q8Zr3Vt6Yk1Ws9Xb2Nm";
const program = fileURLToPath(new URL("source-program.mjs", import.meta.url));

function sourceOf(...parameters: string[]) {
  const command = [process.execPath, program, ...parameters];
  return commandSource.create(commandSource.config.parse({ command }), depsOf());
}

const seen = { first: 1_000, last: 2_000, count: 1 };

function claim(application: string, more: object = {}) {
  return {
    claim: {
      record: "directory",
      known: "read",
      from: { is: "reader", name: application, traits: { applicationName: application } },
      type: "uses",
      to: { is: "account", issuer: "directory", account: "orders" },
      seen,
      sentence: "The directory says so.",
      ...more,
    },
  };
}

function copy(more: object = {}) {
  const at = { is: "location", scope: "wiki", path: "Runbook" };
  return {
    copy: { record: "wiki", at, value, literal: true, seen, sentence: "A line of the page.", ...more },
  };
}

const edge = (application: string) =>
  `reader(applicationName=${application}) uses account(directory orders) read`;
const text = (...lines: unknown[]) =>
  lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join("");

sourceContract("command", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rekey-command-"));
  const file = join(folder, "said");
  await writeFile(file, text(claim("a"), copy(), claim("b")));
  return {
    shows: "log",
    open: () => sourceOf(file),
    openUnreachable: () => sourceOf(file, "away"),
    shown: [edge("a"), edge("b")],
    whole: true,
    plant: async () => {
      await appendFile(file, text(claim("c")));
      return edge("c");
    },
    spoil: async () => {
      await appendFile(file, text(`{"claim":"${value}"}`, claim("x", { [value]: 1 }), claim("behind")));
      return edge("behind");
    },
    // One that has the shape of a secret is refused as a whole; the others lose what may be one.
    leak: () =>
      appendFile(
        file,
        text(
          claim(leakedAddress),
          claim(`https://${leaked}@x.example`),
          claim(`https://x.example?${leaked}`),
        ),
      ),
    odd: async () => {
      await appendFile(file, text(claim(oddName), claim("behind")));
      return edge("behind");
    },
    large: async () => {
      // Two lines a run, as it says them.
      await writeFile(file, text(...Array.from({ length: 6 }, (_, number) => claim(`many${number}`))));
      return {
        edges: 6,
        late: async () => {
          await appendFile(file, text(claim("late")));
          return edge("late");
        },
      };
    },
    values: [value],
    close: () => rm(folder, { recursive: true, force: true }),
  };
});

describe("a program", () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rekey-command-"));
    file = join(folder, "said");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const scan = async (...lines: unknown[]) => {
    await writeFile(file, text(...lines));
    return await scanned(sourceOf(file));
  };

  it("is run until it has no more, and given its cursor", async () => {
    const parts = await scan(claim("a"), claim("b"), claim("c"), { gap: "The directory was read in part." });
    expect(parts.map(({ records, cursor }) => [records, cursor])).toEqual([
      [2, "2"],
      [1, "4"],
    ]);
    expect(parts.flatMap(({ gaps }) => gaps)).toEqual(["The directory was read in part."]);
    expect(parts[0]?.covered).toEqual({ from: 1_000, until: 2_000 });
    expect(await scanned(sourceOf(file), "4")).toEqual([]);
  });

  it("gives values in one field alone, where they are marked", async () => {
    const copies = (await scan(copy())).flatMap((part) => part.copies);
    expect(copies.map(copyText)).toEqual([`location(wiki Runbook) has ${testMark(value)} literally`]);
    const of = { is: "named", type: "credential", name: "payroll-sftp", class: "api-key" };
    const told = { record: "wiki", thing: of, seen, purpose: "Payroll.", expiresAt: seen.last };
    expect((await scan({ listed: told })).flatMap(({ listed }) => listed)).toEqual([
      { ...told, seen: { ...seen, count: 1 } },
    ]);
    const tried = (await scan(copy({ verified: true }))).flatMap((part) => part.copies);
    expect([...copies, ...tried].map(({ verified }) => verified)).toEqual([undefined, true]);
    const parts = await scan(copy({ sentence: `It is ${value}.` }), copy({ record: value }), claim(value));
    expect(parts.flatMap(({ copies: found }) => found)).toEqual([]);
    expect(parts.flatMap(({ malformed }) => malformed)).toHaveLength(3);
    expect(JSON.stringify(parts)).not.toContain(value);
    // One that looks like words is known by standing in the right field too.
    const words = "correct horse battery";
    const [quoted] = await scan(copy({ value: words, sentence: `It is ${words}.` }));
    expect(quoted?.malformed.map(({ why }) => why)).toEqual([
      "it is refused, at copy: the value stands beside `value` too",
    ]);
    expect(JSON.stringify(quoted)).not.toContain(words);
  });

  it("may say that something was used, and not by whom", async () => {
    const of = { is: "account", issuer: "orders-pg", account: "orders" };
    const [part] = await scan({ use: { record: "r", of, seen, sentence: "The vault says so." } });
    expect(part).toMatchObject({
      uses: [{ record: "r", of, sentence: "The vault says so." }],
      covered: { from: seen.first, until: seen.last },
      malformed: [],
    });
  });

  it("that shows a host shows it as other sources do", async () => {
    const traits = { applicationName: "a", host: "DB1.shop.example" };
    const [part] = await scan(claim("a", { from: { is: "reader", name: "a", traits } }));
    expect(part?.claims[0]?.from).toMatchObject({ traits: { ...traits, host: "db1.shop.example" } });
  });

  const versioned = (versions: unknown, more: object = {}) =>
    claim("a", { to: { is: "place", store: "main", place: { path: "orders/db" } }, versions, ...more });
  const version = { version: "3", first: 1_000, last: 2_000 };

  it("may say which versions of a place were read, and when", async () => {
    // As two stores name them, the second one's being as random as a value, and one of which only that is known.
    const id = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    const versions = ["3", id, "older"].map((name) => ({ ...version, version: name }));
    const [part] = await scan(versioned(versions));
    expect([part?.claims[0]?.versions, part?.malformed]).toEqual([versions, []]);
  });

  it.each<[unknown, string]>([
    ["no JSON", "it is not JSON"],
    [{ claims: [] }, "it has none of claim, copy, listed, use, gap and cursor"],
    [claim("a", { known: "guessed" }), "it is refused, at claim.known"],
    [claim("a", { seen: { first: 2, last: 1 } }), "it is refused, at claim.seen"],
    [
      claim("a", { from: { is: "reader", name: "a", traits: { shoe: "42" } } }),
      "it is refused, at claim.from.traits",
    ],
    [
      { listed: { record: "r", thing: { is: "named", type: "star", name: "a" }, seen } },
      "it is refused, at listed.thing.type",
    ],
    [copy({ value: "short" }), "it is refused, at copy.value"],
    [
      { use: { record: "r", of: { is: "reader", name: "a", traits: {} }, seen, sentence: "It was used." } },
      "it is refused, at use",
    ],
    [versioned([]), "it is refused, at claim.versions"],
    [versioned([version, version]), "it is refused, at claim.versions"],
    [versioned(Array(101).fill(version)), "it is refused, at claim.versions"],
    [versioned([{ ...version, version: "v".repeat(257) }]), "it is refused, at claim.versions.?.version"],
    [
      versioned([{ ...version, version: `hvs.${"a1".repeat(12)}` }]),
      "it is refused, at claim.versions.?.version",
    ],
    [versioned([{ ...version, first: 2_000, last: 1_000 }]), "it is refused, at claim.versions.?"],
    [
      versioned([{ ...version, last: 2_001 }]),
      "it is refused, at claim.versions: a version was read outside of `seen`",
    ],
    ...[{ known: "session" }, { type: "can-read" }, { to: claim("a").claim.to }].map(
      (more): [unknown, string] => [
        versioned([version], more),
        "it is refused, at claim.versions: only what was `read` and `uses` a place has versions",
      ],
    ),
  ])("that prints %j has that line refused by its fields", async (line, why) => {
    const [part] = await scan(line, claim("a"));
    expect(part?.malformed).toEqual([{ where: expect.stringMatching(/line 1 of what it printed$/), why }]);
    expect(part?.claims).toHaveLength(1);
  });

  it("that ends without a cursor, prints behind it or does not go on is not believed", async () => {
    await writeFile(file, text(claim("a")));
    for (const mode of ["cut", "behind", "endless"]) {
      await expect(scanned(sourceOf(file, mode))).rejects.toMatchObject({ code: "proof-failed" });
    }
  });

  it("that is not there is a finding", async () => {
    expect(await sourceOf(file).preflight(call())).toEqual([]);
    const none = commandSource.create(
      commandSource.config.parse({ command: [join(folder, "none")] }),
      depsOf(),
    );
    expect(await none.preflight(call())).toEqual([
      expect.objectContaining({ code: "source-program-missing" }),
    ]);
    await expect(scanned(none)).rejects.toMatchObject({ code: "missing-setup" });
  });
});
