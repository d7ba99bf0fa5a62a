/** What can be kept of what a source says: one record that cannot be is told, and holds up no other. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thingId } from "../../../domain/discovery/resolve.js";
import type { Claim, Copy, Listed, ScanPart, Thing } from "../../../domain/discovery/said.js";
import { soundPart as sound } from "../../../domain/discovery/sound.js";

const sha256Hex = (text: string) => createHash("sha256").update(text).digest("hex");
const soundPart = (said: ScanPart) => sound(said, sha256Hex);

const seen = { first: 1_000, last: 2_000, count: 1 };
const reader = (name: string): Thing => ({ is: "reader", name, traits: { workload: "shop/api" } });
const location = (path: string): Thing & { is: "location" } => ({
  is: "location",
  scope: "repository shop",
  path,
});

const claim = (more: Partial<Claim> = {}): Claim => ({
  ...{ record: "a.yaml", known: "declared", from: reader("api"), type: "uses", to: location("x"), seen },
  sentence: "It names it.",
  ...more,
});
const copy = (more: Partial<Copy> = {}): Copy => ({
  ...{ record: "a.yaml", at: location("x"), mark: "m1", literal: true, seen, sentence: "a password" },
  ...more,
});
const part = (more: Partial<ScanPart> = {}): ScanPart => ({
  ...{ records: 1, claims: [], copies: [], listed: [], malformed: [], covered: null, gaps: [], cursor: "1" },
  ...more,
});

/** Why a claim cannot be kept; undefined where it can. */
const why = (more: Partial<Claim>) => soundPart(part({ claims: [claim(more)] })).malformed[0]?.why;

describe("a part", () => {
  it("stays what it is where all of it can be kept", () => {
    const things: Thing[] = [
      reader("api"),
      location("größe 🗝"),
      { is: "place", store: "main", place: { path: "orders/db" } },
      { is: "account", issuer: "db", account: "orders", createdAt: 1_000, expiresAt: 2_000 },
      { is: "credential", scope: "AWS", name: "k", class: "api-key" },
      { is: "named", type: "owner", name: "ada" },
    ];
    const listed = things.map((thing): Listed => ({ record: "list", thing, seen }));
    const whole = part({
      ...{ claims: [claim()], copies: [copy()], listed, malformed: [{ where: "b", why: "no YAML" }] },
      uses: [{ record: "list", of: location("x"), seen, sentence: "It was used." }],
      ...{
        gaps: ["A gap."],
        covered: { from: 1, until: 2 },
        own: [{ is: "reader", name: "rekey", traits: {} }],
      },
    });
    const versions = ["3", "older", "0b0c1d2e-0000-4000-8000-000000000000", "a".repeat(256)];
    const reads = part({
      claims: [claim({ versions: versions.map((version) => ({ version, first: 1_000, last: 2_000 })) })],
    });
    expect(soundPart(reads)).toEqual(reads);
    expect(soundPart(whole)).toEqual(whole);
    const again = { ...whole, gapsAgain: ["A gap."] };
    expect(soundPart(again)).toEqual(again);
    const unsound = soundPart({ ...whole, gapsAgain: ["A gap\0."] });
    expect(unsound.gapsAgain).toEqual(soundPart({ ...whole, gaps: ["A gap\0."] }).gaps);
  });

  it("keeps the logs of a source apart, also where two look the same, and believes no time that cannot be kept", () => {
    const reaches = [
      { log: "/logs/a\0", until: 1_000 },
      { log: "/logs/a\uFFFD", until: Number.NaN },
      { log: "/logs/b", until: null },
    ];
    expect(soundPart(part({ reaches })).reaches).toEqual([
      { log: "/logs/a\uFFFD", until: 1_000 },
      { log: "/logs/a\uFFFD (2)", until: null },
      { log: "/logs/b", until: null },
    ]);
  });

  it("loses what cannot be kept, keeps the rest, and says which record that was", () => {
    const bad: Thing = { is: "account", issuer: "db", account: "a", createdAt: Number.NaN };
    const badSeen = { ...seen, last: 9e15 };
    const used = { record: "c.yaml", of: location("x"), seen, sentence: "It was used." };
    const { claims, copies, listed, uses, malformed, records } = soundPart(
      part({
        ...{ claims: [claim({ to: bad }), claim()], copies: [copy({ seen: badSeen }), copy()] },
        listed: [{ record: "b.yaml", thing: bad, seen }],
        uses: [{ ...used, of: bad }, used],
      }),
    );
    expect([claims, copies, listed, records]).toEqual([[claim()], [copy()], [], 1]);
    expect(uses).toEqual([used]);
    expect(malformed.map(({ where }) => where)).toEqual(["a.yaml", "a.yaml", "b.yaml", "c.yaml"]);
    expect(malformed[0]?.why).toBe("it has a time that cannot be kept: outside of the years 1 to 9999");
  });

  it("repeats no text that cannot be kept, in its complaints and gaps either", () => {
    const { malformed, gaps } = soundPart(
      part({
        ...{
          claims: [claim({ record: "a\0", seen: { ...seen, count: 0.5 } })],
          malformed: [{ where: "\ud800", why: "b\0" }],
          gaps: ["\udc00!"],
        },
      }),
    );
    expect(malformed.map(({ where }) => where)).toEqual(["\ufffd", "a\ufffd"]);
    expect([malformed[0]?.why, ...gaps]).toEqual(["b\ufffd", "\ufffd!"]);
  });

  it("moves nobody's cursor and forges no line: control characters are pictures of themselves", () => {
    const evil = "orders-api\u001b[2K\r\nnobody\u009b1m\u202e";
    const plain = "orders-api\u241b[2K\u240d\u240anobody\u24261m\u2426";
    const traits = { applicationName: evil };
    const said = soundPart(
      part({
        claims: [claim({ from: { is: "reader", name: evil, traits }, to: location(evil), sentence: evil })],
        copies: [copy({ at: location(evil), sentence: evil })],
        listed: [{ record: "l", thing: { is: "place", store: "main", place: { path: evil } }, seen }],
        ...{ malformed: [{ where: evil, why: evil }], gaps: [evil] },
      }),
    );
    expect(said.claims).toEqual([
      claim({
        from: { is: "reader", name: plain, traits: { applicationName: plain } },
        ...{ to: location(plain), sentence: plain },
      }),
    ]);
    expect(said.copies).toEqual([copy({ at: location(plain), sentence: plain })]);
    expect(said.listed[0]?.thing).toEqual({ is: "place", store: "main", place: { path: plain } });
    expect([said.malformed, said.gaps]).toEqual([[{ where: plain, why: plain }], [plain]]);
  });

  it("names each version once, without what moves a cursor, from its first read to its last", () => {
    const evil = "v\u001b[2K";
    const said = soundPart(
      part({
        claims: [
          claim({
            versions: [
              { version: evil, first: 1_000, last: 2_000 },
              { version: "3", first: 5, last: 5 },
              { version: "v\u241b[2K", first: 500, last: 1_500 },
            ],
          }),
        ],
      }),
    );
    expect(said.claims[0]?.versions).toEqual([
      { version: "v\u241b[2K", first: 500, last: 2_000 },
      { version: "3", first: 5, last: 5 },
    ]);
  });

  it("has no times that cannot be kept", () => {
    const stretches = [
      [-1e15, -1e15],
      [0, 1],
    ] as const;
    const said = soundPart(part({ covered: { from: -1e15, until: 0 }, stretches }));
    const { covered, malformed } = said;
    expect([covered, said.stretches]).toEqual([null, [[0, 1]]]);
    expect(malformed).toEqual([{ where: "the times of a part", why: "they are none that can be kept" }]);
  });
});

/** A text as anybody may choose it: long, with a NUL, with half of a pair, with what moves a cursor. */
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("\0", "orders\0api", "\ud800", "half \udfff", "a\u001b[2J", ""),
  fc
    .tuple(fc.constantFrom("n", "ä", "🗝", "\0", "\ud83d"), fc.integer({ min: 1, max: 6_000 }))
    .map(([unit, count]) => unit.repeat(count)),
);

describe("whoever chooses a name", () => {
  const anyReader = fc
    .record({ name: anyText, applicationName: anyText, host: anyText, entity: anyText })
    .map(({ name, ...traits }): Thing => ({ is: "reader", name, traits }));
  const anyTarget = fc.oneof(
    anyText.map(location),
    anyText.map((account): Thing => ({ is: "account", issuer: "db", account })),
    fc
      .tuple(anyText, anyText)
      .map(([field, path]): Thing => ({ is: "place", store: "main", place: { [field]: path } })),
  );
  const textsIn = (value: unknown): string[] => {
    if (typeof value === "string") return [value];
    if (typeof value !== "object" || value === null) return [];
    return Object.entries(value).flatMap(([name, inner]) => [name, ...textsIn(inner)]);
  };

  it("C7: is a reader still: no use is lost for a text, and each is kept as the same at every reading", () => {
    const anyClaim = fc
      .record({
        ...{ from: anyReader, to: anyTarget, record: anyText, sentence: anyText, version: anyText },
        known: fc.constantFrom("read" as const, "session" as const),
      })
      .map(({ version, ...more }) => claim({ ...more, versions: [{ version, first: 1_000, last: 2_000 }] }));
    fc.assert(
      fc.property(fc.array(anyClaim, { maxLength: 3 }), (claims) => {
        const { claims: kept, malformed, hidden } = soundPart(part({ claims }));
        expect([kept.length, malformed, hidden]).toEqual([claims.length, [], undefined]);
        expect(soundPart(part({ claims })).claims).toEqual(kept);
        for (const { from, to, record, sentence, versions = [] } of kept) {
          for (const text of textsIn([from, to, record, sentence, versions]))
            expect(text.isWellFormed() && !text.includes("\0") && text.length <= 4_096).toBe(true);
          expect(Buffer.byteLength(record)).toBeLessThanOrEqual(2_000);
          expect(Math.max(...textsIn(from).map((text) => text.length))).toBeLessThanOrEqual(425);
        }
      }),
    );
  });

  it("stays another than whoever has a name that begins alike, and is found by all that a claim may say of it", () => {
    const long = (end: string): Thing => {
      const applicationName = "n".repeat(3_000) + end;
      return { is: "reader", name: applicationName, traits: { applicationName } };
    };
    const { claims } = soundPart(part({ claims: ["a", "b", "a"].map((end) => claim({ from: long(end) })) }));
    const [one, other, again] = claims.map(({ from }) => thingId(from, sha256Hex));
    expect(one).not.toBe(other);
    expect(one).toBe(again);
    const [kept] = claims;
    expect(kept?.from).toMatchObject({
      traits: { applicationName: expect.stringMatching(/^n{400}…[0-9a-f]{24}$/) },
    });
    const exact = reader("n".repeat(400));
    expect(soundPart(part({ claims: [claim({ from: exact })] })).claims[0]?.from).toEqual(exact);
  });

  it.each<[string, Partial<Claim>, Partial<Claim>]>([
    ["a name", { from: reader("a\0b") }, { from: reader("a\ufffdb") }],
    [
      "a trait",
      { from: { is: "reader", name: "a", traits: { role: "\ud800" } } },
      { from: { is: "reader", name: "a", traits: { role: "\ufffd" } } },
    ],
    [
      "a place's field",
      { to: { is: "place", store: "main", place: { "\0": "x" } } },
      { to: { is: "place", store: "main", place: { "\ufffd": "x" } } },
    ],
    ["a sentence", { sentence: "half \udfff" }, { sentence: "half \ufffd" }],
    ["a record", { record: "\0\n" }, { record: "\ufffd\n" }],
  ])("has a mark in the place of a NUL or half a pair in %s", (_, more, kept) => {
    expect(soundPart(part({ claims: [claim(more)] }))).toEqual(part({ claims: [claim(kept)] }));
  });

  it("is kept by the beginning of a long path, record, sentence or version, without half a pair at its end", () => {
    const paths = [4_096, 4_097].map((count) => claim({ to: location("p".repeat(count)) }));
    const [whole, cut] = soundPart(part({ claims: paths })).claims.map(
      ({ to }) => (to as { path: string }).path,
    );
    expect([whole?.length, cut?.length]).toEqual([4_096, 225]);
    const [long] = soundPart(
      part({
        claims: [
          claim({
            ...{ record: `${"ä".repeat(599)}🗝${"ä".repeat(401)}`, sentence: "s".repeat(9_000) },
            versions: [{ version: "v".repeat(257), first: 1_000, last: 2_000 }],
          }),
        ],
      }),
    ).claims;
    expect(long?.record).toMatch(/^ä{599}…[0-9a-f]{24}$/);
    expect(long?.sentence).toMatch(/^s{400}…[0-9a-f]{24}$/);
    expect(long?.versions?.[0]?.version).toMatch(/^v{200}…[0-9a-f]{24}$/);
  });
});

describe("a claim is refused for", () => {
  it("a time outside of the years 1 to 9999, or none", () => {
    const account = (times: object): Thing => ({ is: "account", issuer: "db", account: "a", ...times });
    for (const first of [Number.NaN, -62_135_596_800_001, Number.NEGATIVE_INFINITY])
      expect(why({ seen: { ...seen, first } })).toContain("the years 1 to 9999");
    expect(why({ seen: { ...seen, last: 253_402_300_800_000 } })).toContain("the years 1 to 9999");
    expect(why({ to: account({ createdAt: 1e18 }) })).toContain("the years 1 to 9999");
    expect(why({ to: account({ expiresAt: Number.NaN }) })).toContain("the years 1 to 9999");
    expect(
      why({ seen: { first: -62_135_596_800_000, last: 253_402_300_799_999, count: 1 } }),
    ).toBeUndefined();
  });

  it("a version with a time that cannot be kept", () => {
    const read = (version: string, first = 1_000, last = 2_000) =>
      why({
        versions: [
          { version: "1", first: 1_000, last: 2_000 },
          { version, first, last },
        ],
      });
    expect(read("2")).toBeUndefined();
    for (const [first, last] of [
      [Number.NaN, 1],
      [1, 253_402_300_800_000],
    ] as const)
      expect(read("2", first, last)).toBe(
        "it has a version with a time that cannot be kept: outside of the years 1 to 9999",
      );
    const both = soundPart(
      part({ claims: [claim({ versions: [{ version: "1", first: 1, last: 9e15 }] }), claim()] }),
    );
    expect([both.claims, both.malformed.length]).toEqual([[claim()], 1]);
  });

  it("a count that is none, and a copy for a mark that is none of ours", () => {
    expect(why({ seen: { ...seen, count: 0.5 } })).toBe("it has a count that is none");
    const marked = (mark: string) => soundPart(part({ copies: [copy({ mark })] })).malformed[0]?.why;
    for (const mark of ["\0", "m".repeat(601)])
      expect(marked(mark)).toBe("it has a mark that is none of ours");
    expect(marked("")).toBeUndefined();
  });
});

it("what a source says of a thing besides is kept as it can be, and a secret in it is not", () => {
  const thing = { is: "named", type: "credential", name: "payroll-sftp" } as const;
  const of = (more: Partial<Listed>): Listed => ({ record: "list", thing, seen, ...more });
  const said = (...listed: readonly Listed[]) => {
    const { listed: kept, malformed } = soundPart(part({ listed }));
    return [kept.map(({ purpose, expiresAt }) => [purpose, expiresAt]), malformed.map(({ where }) => where)];
  };
  expect(said(of({ purpose: "a\u001b[2J", expiresAt: 7 }))).toEqual([[["a\u241b[2J", 7]], []]);
  expect(said(of({ purpose: "see https://me:Canary-8x@x.example/" }))).toEqual([
    [["see https://***@x.example/", undefined]],
    [],
  ]);
  expect(said(of({ purpose: "a\0" }), of({ expiresAt: Number.POSITIVE_INFINITY }))).toEqual([
    [["a\ufffd", undefined]],
    ["list"],
  ]);
});
