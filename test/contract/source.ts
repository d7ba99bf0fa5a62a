/** What every source has to do, whatever it reads: streamed in small parts, resumable, idempotent, nothing dropped in silence, no value let out. */
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Source } from "../../adapters/ports.js";
import type { Claim, Copy, ScanPart, Thing, Use, VersionRead } from "../../domain/discovery/said.js";
import { soundPart } from "../../domain/discovery/sound.js";
import { sha256Hex } from "../../inventory/hash.js";
import { cameOutOf, textsWith } from "./canary.js";

/** A source's world: the real thing, with something in it that is seen. */
export interface SourceWorld {
  readonly shows: "now" | "log";
  /** A new instance, as another process would have it. */
  open(): Source;
  /** One at which nothing answers: a server that is away, a folder that is not there. */
  openUnreachable(): Source;
  /** The source speaks of no edges: what is said of edges below is said of its copies, as `copyText` writes them. */
  readonly copies?: true;
  /** Edges and uses that the first scan has to show, as `edgeText` and `useText` write them; none besides where `whole` is true. */
  readonly shown: readonly string[];
  readonly whole: boolean;
  /** Adds one more and returns its edge, as `edgeText` writes it. */
  plant(): Promise<string>;
  /** Of a source of what is there now: takes away what was planted. */
  unplant?(): Promise<void>;
  /** Adds a record that cannot be read, and something readable behind it, whose edge is returned. */
  readonly spoil: (() => Promise<string>) | Cannot;
  /** Somebody comes with a name of `oddName`, as far as it is taken there, and somebody else behind them, whose edge is returned. */
  readonly odd: (() => Promise<string>) | Cannot;
  /** Somebody has left `leakedAddress` where only names are expected: of a file, of a session, in a text of their own. */
  leak(): Promise<unknown>;
  /** Makes it larger than one part may be. */
  readonly large: (() => Promise<Large>) | Cannot;
  /** One answer of it that is more than a part may have is asked for again as a whole by whoever goes on within it; the records know it for the same. */
  readonly asksAgain?: true;
  /** Values that lie in what is read, and those by which it is read. No character of them may come out. */
  readonly values: readonly string[];
  close(): Promise<void>;
}

/** Why something cannot be tried in a world: a sentence that a reader can object to. */
export interface Cannot {
  readonly cannot: string;
}

/** A world that is large. */
export interface Large {
  /** How many edges it has to show at least. */
  readonly edges: number;
  /** Called while a scan stands at its first part: changes what is read last, and returns the edge that is only there since. */
  late(): Promise<string>;
}

/** The most of one thing in a part, and the most bytes of a part as JSON: one is held, sent and kept as a whole. */
const partMax = { entries: 3_000, bytes: 4 << 20 };

/** Cheap to make, and more than a part may have. */
export const largeCount = partMax.entries + 100;

const canBeTried = <T>(what: T | Cannot): what is T =>
  typeof what === "function" || !("cannot" in (what as Cannot));

/** What moves the cursor of a terminal, begins a line, turns the direction of a text, and is no text; it begins with `odd`. */
export const oddName = "odd\u001B[2J\n\u202E=name=\uD800\0";

/** A value that nobody is looking for, because it stands in the place of a name. */
export const leaked = `not-for-you-${randomBytes(9).toString("hex")}`;

/** It in an address, as a name that somebody chose; short enough for a session's. */
export const leakedAddress = `https://ci:${leaked}@x.example`;

/** A thing as one text, for comparison. */
export function thingText(thing: Thing): string {
  switch (thing.is) {
    case "reader":
      return `reader(${Object.entries(thing.traits)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => `${name}=${value}`)
        .join(" ")})`;
    case "place":
      return `place(${thing.store} ${Object.values(thing.place).join(" ")})`;
    case "account":
      return `account(${thing.issuer} ${thing.account})`;
    case "location":
      return `location(${thing.scope} ${thing.path})`;
    case "credential":
      return `credential(${thing.scope} ${thing.name})`;
    case "named":
      return `${thing.type}(${thing.name})`;
  }
}

/** An edge as one text: `reader(entity=e-1) uses place(main orders/db) read`. */
export function edgeText({ from, type, to, known }: Pick<Claim, "from" | "type" | "to" | "known">): string {
  return `${thingText(from)} ${type} ${thingText(to)} ${known}`;
}

/** A copy as one text: `location(repository shop a.env:rule) has 3f... literally`. */
export function copyText({ at, mark, literal }: Pick<Copy, "at" | "mark" | "literal">): string {
  return `${thingText(at)} has ${mark}${literal ? " literally" : ""}`;
}

/** A use by whom nobody says, as one text: `account(cloud orders) used`. */
export function useText({ of }: Pick<Use, "of">): string {
  return `${thingText(of)} used`;
}

/** Everything that a scan says, from a cursor on. */
export async function scanned(source: Source, cursor: string | null = null): Promise<ScanPart[]> {
  const parts: ScanPart[] = [];
  for await (const part of source.scan(cursor, { signal: AbortSignal.timeout(60_000) })) parts.push(part);
  return parts;
}

/** What parts say together, the same however they were cut. */
export function together(parts: readonly ScanPart[]) {
  const edges = new Map<
    string,
    { count: number; first: number; last: number; versions: readonly VersionRead[] }
  >();
  for (const { seen, versions = [], ...claim } of parts.flatMap(({ claims }) => claims)) {
    const key = `${claim.record}: ${edgeText(claim)}`;
    const known = edges.get(key);
    edges.set(key, {
      count: seen.count + (known?.count ?? 0),
      first: Math.min(seen.first, known?.first ?? seen.first),
      last: Math.max(seen.last, known?.last ?? seen.last),
      versions: versionsTogether([...versions, ...(known?.versions ?? [])]),
    });
  }
  return {
    edges: [...edges].sort(([a], [b]) => (a < b ? -1 : 1)),
    copies: parts
      .flatMap(({ copies }) => copies.map(({ at, mark, literal }) => `${thingText(at)} ${mark} ${literal}`))
      .sort(),
    uses: parts.flatMap(({ uses = [] }) => uses.map(useText)).sort(),
    malformed: parts.flatMap(({ malformed }) => malformed.map(({ where }) => where)).sort(),
    records: parts.reduce((sum, { records }) => sum + records, 0),
  };
}

function versionsTogether(reads: readonly VersionRead[]): VersionRead[] {
  const byName = Map.groupBy(reads, ({ version }) => version);
  return [...byName]
    .map(([version, ofIt]) => ({
      version,
      first: Math.min(...ofIt.map(({ first }) => first)),
      last: Math.max(...ofIt.map(({ last }) => last)),
    }))
    .sort((one, other) => (one.version < other.version ? -1 : 1));
}

/** Everything in it that is a text, but for the names of records and cursors, which nobody is shown. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([field, inside]) =>
    field === "record" || field === "cursor" ? [] : textsIn(inside),
  );
}

/** The suite. Times of what is there now differ between two scans, so only a log's are compared. */
export function sourceContract(name: string, make: () => Promise<SourceWorld>): void {
  describe(`source ${name}`, () => {
    let world: SourceWorld;
    const opened: Source[] = [];
    const open = (): Source => {
      const source = world.open();
      opened.push(source);
      return source;
    };
    beforeEach(async () => {
      world = await make();
    });
    afterEach(async () => {
      for (const source of opened.splice(0)) await source.close();
      await world.close();
    });

    const edgesOf = (parts: readonly ScanPart[]) => [
      ...new Set(
        parts.flatMap(({ claims, copies, uses = [] }) =>
          world.copies ? copies.map(copyText) : [...claims.map(edgeText), ...uses.map(useText)],
        ),
      ),
    ];
    const compared = (parts: readonly ScanPart[]) => {
      const all = together(parts);
      return world.shows === "log" ? all : { ...all, edges: all.edges.map(([key]) => key) };
    };

    it("shows what is there", async () => {
      const edges = edgesOf(await scanned(open()));
      if (world.whole) expect(edges.sort()).toEqual([...world.shown].sort());
      else expect(edges).toEqual(expect.arrayContaining([...world.shown]));
      expect(world.shown.length).toBeGreaterThan(0);
    });

    it("shows what was planted in the next scan", async () => {
      const before = await scanned(open());
      const edge = await world.plant();
      expect(edgesOf(before)).not.toContain(edge);
      const from = world.shows === "log" ? (before.at(-1)?.cursor ?? null) : null;
      expect(edgesOf(await scanned(open(), from))).toContain(edge);
      if (world.unplant === undefined) return;
      await world.unplant();
      expect(edgesOf(await scanned(open()))).not.toContain(edge);
    });

    it("goes on from each cursor as if it had not stopped", async () => {
      await world.plant();
      const parts = await scanned(open());
      for (const [index, { cursor }] of parts.entries()) {
        const rest = await scanned(open(), cursor);
        expect(compared([...parts.slice(0, index + 1), ...rest])).toEqual(compared(parts));
      }
    });

    it("says the same when it is asked again", async () => {
      const first = await scanned(open());
      expect(compared(await scanned(open()))).toEqual(compared(first));
      const after = await scanned(open(), first.at(-1)?.cursor ?? null);
      if (world.shows === "log") expect(edgesOf(after)).toEqual([]);
    });

    it("can be tried, or says why not in a sentence", () => {
      for (const tried of [world.spoil, world.odd, world.large])
        if (!canBeTried(tried)) expect(tried.cannot).toMatch(/^[A-Z`](?=.{60})(\S* ){9,}.*\w\.$/);
    });

    it("counts and names what cannot be read, and reads on behind it", async ({ expect: expectHere }) => {
      const before = await scanned(open());
      expectHere(together(before).malformed).toEqual([]);
      if (!canBeTried(world.spoil)) return;
      const edge = await world.spoil();
      const parts = await scanned(open());
      // Of a server that answers with something else a gap is said: it has no records.
      const told = together(parts).malformed.length + parts.flatMap(({ gaps }) => gaps).length;
      expectHere(told).toBeGreaterThan(before.flatMap(({ gaps }) => gaps).length);
      expectHere(edgesOf(parts)).toContain(edge);
      for (const { why } of parts.flatMap(({ malformed }) => malformed)) expectHere(why).not.toBe("");
    });

    it("shows or reports somebody with an odd name, and whoever comes behind them", async ({
      expect: expectHere,
    }) => {
      if (!canBeTried(world.odd)) return;
      const before = together(await scanned(open())).malformed.length;
      const edge = await world.odd();
      const parts = (await scanned(open())).map((part) => soundPart(part, sha256Hex));
      expectHere(edgesOf(parts)).toContain(edge);
      const texts = textsIn(parts.map(({ malformed: _, ...said }) => said));
      const shown = texts.some((text) => text.includes(oddName.slice(0, 3)));
      expectHere(shown || together(parts).malformed.length > before).toBe(true);
      for (const text of textsIn(parts)) expectHere(text).not.toMatch(/[\p{Cc}\p{Cs}\u202E]/u);
    });

    it("gives what is large in small parts, the first of them before the last is read", async ({
      expect: expectHere,
    }) => {
      if (!canBeTried(world.large)) return;
      const { edges, late } = await world.large();
      const scan = open()
        .scan(null, { signal: AbortSignal.timeout(60_000) })
        [Symbol.asyncIterator]();
      const first = await scan.next();
      const edge = await late();
      const parts: ScanPart[] = [];
      for (let next = first; next.done !== true; next = await scan.next()) parts.push(next.value);
      expectHere(edgesOf(parts).length).toBeGreaterThanOrEqual(edges);
      expectHere(edgesOf(parts.slice(1))).toContain(edge);
      for (const { claims, copies, listed, uses = [], malformed, gaps, ...part } of parts) {
        const lists = [claims, copies, listed, uses, malformed, gaps];
        for (const list of lists) expectHere(list.length).toBeLessThanOrEqual(partMax.entries);
        expectHere(JSON.stringify([lists, part]).length).toBeLessThanOrEqual(partMax.bytes);
      }
    });

    it("goes on in another instance behind a part that another one gave, and nothing is lost or doubled", async ({
      expect: expectHere,
    }) => {
      if (!canBeTried(world.large)) return;
      await world.large();
      const whole = await scanned(open());
      expectHere(whole.length).toBeGreaterThanOrEqual(2);
      const readAgain: number[] = [];
      for (const count of new Set([1, whole.length - 1])) {
        const parts: ScanPart[] = [];
        for await (const part of open().scan(null, { signal: AbortSignal.timeout(60_000) }))
          if (parts.push(part) === count) break;
        const rest = await scanned(open(), parts.at(-1)?.cursor ?? null);
        readAgain.push(rest.length);
        expectHere(compared([...parts, ...rest])).toEqual(compared(whole));
        if (world.asksAgain) continue;
        expectHere([...parts, ...rest].flatMap(({ claims }) => claims).length).toBe(
          whole.flatMap(({ claims }) => claims).length,
        );
      }
      // Whatever is asked for again, what came before that is not.
      expectHere(Math.min(...readAgain)).toBeLessThan(whole.length);
    });

    it("gives well-formed parts", async () => {
      const parts = await scanned(open());
      for (const { claims, copies, listed, records, cursor, covered, gaps } of parts) {
        for (const { seen, sentence, record } of [...claims, ...copies]) {
          expect(seen.first).toBeLessThanOrEqual(seen.last);
          expect(seen.count).toBeGreaterThanOrEqual(1);
          expect(sentence).toMatch(/\S/);
          expect(record).toMatch(/\S/);
        }
        for (const { seen } of listed) expect(seen.first).toBeLessThanOrEqual(seen.last);
        for (const { mark } of copies) expect(mark).toMatch(/^[0-9a-f]{64}$/);
        expect(records).toBeGreaterThanOrEqual(0);
        expect(cursor).not.toBe("");
        if (covered !== null) expect(covered.from).toBeLessThanOrEqual(covered.until);
        for (const gap of gaps) expect(gap).toMatch(/\S/);
      }
    });

    it("lets no value out: in no part, no row, no error, and nothing that is printed (I6)", async ({
      expect: expectHere,
    }) => {
      const unreachable = (): Source => {
        const source = world.openUnreachable();
        opened.push(source);
        return source;
      };
      const out = await cameOutOf(open, unreachable, [
        ...(canBeTried(world.spoil) ? [world.spoil] : []),
        () => world.leak(),
      ]);
      // What stands around it is shown: it was read, and it was kept.
      for (const text of [out.said, out.kept]) expectHere(text).toContain("https://***@x.example");
      expectHere(out.failed).toContain("Error");
      expectHere(world.values.length).toBeGreaterThan(0);
      expectHere(textsWith([...world.values, leaked], out)).toEqual([]);
      // Whatever lies there is found.
      const places = Object.keys(out).sort();
      const told = Object.fromEntries(
        Object.entries(out).map(([place, text]) => [place, `${text} x${leaked}x`]),
      );
      expectHere(textsWith([leaked], told)).toEqual(places);
    });

    it("says that it cannot reach its place, and does not take that for nothing", async () => {
      const source = world.openUnreachable();
      opened.push(source);
      await expect(scanned(source)).rejects.toMatchObject({
        code: expect.stringMatching(/^(unreachable|not-permitted|not-found)$/),
      });
    });
  });
}
