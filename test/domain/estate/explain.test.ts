/** Every sort of mistake in words: what was expected, what was found, and what was probably meant. */
import { describe, expect, it } from "vitest";
import { parseEstate } from "../../../domain/estate/parse.js";
import { credential, kinds, sound } from "./fixtures.js";

describe("a mistake", () => {
  type Bad = [string, (raw: ReturnType<typeof sound>) => void, object];
  const cases: Bad[] = [
    [
      "a field that is not one",
      (raw) => (raw.policies.calm = { quietPeriode: "1h" }),
      { hint: 'did you mean "quietPeriod"?' },
    ],
    [
      "one without a likeness",
      (raw) => (raw.policies.calm = { zzz: 1 }),
      { hint: "remove it, or see `rekey schema`" },
    ],
    [
      "one among alternatives",
      (raw) => (raw.credentials.orders = credential({ consumers: [{ consumer: "web", wawe: 1 }] })),
      { path: ["credentials", "orders", "consumers", 0, "wawe"], hint: 'did you mean "wave"?' },
    ],
    [
      "one in the settings of a kind",
      (raw) => (raw.issuers.books = { kind: "ledger", host: "h", tls: { ca: "x", cs: 1 } }),
      { path: ["issuers", "books", "tls", "cs"], expected: "ca", hint: 'did you mean "ca"?' },
    ],
    [
      "a missing field, and what it is for",
      (raw) => (raw.credentials.orders = credential({ owner: undefined })),
      { message: '"owner" is missing', hint: "Who answers for it and signs." },
    ],
    [
      "C7: an exception for whoever it may be",
      (raw) => {
        const exception = { owner: "ada", reason: "Known.", until: "2027-01-01" };
        raw.credentials.orders = credential({
          exceptions: [
            { ...exception, finding: "no-purpose" },
            { ...exception, finding: "unmapped-copy" },
          ],
        });
      },
      {
        path: ["credentials", "orders", "exceptions", 1, "about"],
        message: '"about" is missing',
        expected: "whom or what it is about, as `rekey findings` calls it",
      },
    ],
    [
      "a missing kind",
      (raw) => (raw.stores.desk = { address: "x" }),
      { code: "missing", expected: "drawer" },
    ],
    ["a missing installation", (raw) => delete raw.installation, { code: "missing", path: ["installation"] }],
    [
      "a name",
      (raw) => (raw.policies.Calm = {}),
      { at: "key", expected: "a name: lower-case letters, digits and dashes, a letter first, at most 63" },
    ],
    ["an empty section", (raw) => (raw.policies = null as never), { expected: "a map", found: "nothing" }],
    ["a list for a map", (raw) => (raw.consumers.jobs = []), { expected: "a map", found: "a list" }],
    ["text for a map", (raw) => (raw.policies.calm = "x"), { expected: "a map", found: '"x"' }],
    [
      "a word of a few",
      (raw) => (raw.policies.calm = { containment: "revoke-noww" }),
      { expected: "after-adoption or revoke-now", hint: 'did you mean "revoke-now"?' },
    ],
    [
      "a number that is too small",
      (raw) => (raw.issuers.books = { kind: "ledger", host: "h", port: 0 }),
      { expected: "at least 1" },
    ],
    [
      "a number with a fraction",
      (raw) => (raw.issuers.books = { kind: "ledger", host: "h", port: 1.5 }),
      { expected: "a whole number", found: "1.5" },
    ],
    [
      "a yes for a number",
      (raw) => (raw.issuers.books = { kind: "ledger", host: "h", port: true }),
      { expected: "a number", found: "true" },
    ],
    [
      "a list that is empty",
      (raw) => (raw.consumers.jobs = { owner: "ada", observe: [] }),
      { expected: "at least 1 entry" },
    ],
    [
      "a text that is empty",
      (raw) => (raw.credentials.orders = credential({ purpose: "" })),
      { expected: "at least 1 character" },
    ],
    [
      "a text that is long",
      (raw) => (raw.credentials.orders = credential({ purpose: "x".repeat(501) })),
      { expected: "at most 500 characters", found: "text" },
    ],
    [
      "a list that is short",
      (raw) => (raw.owners.shop = { kind: "team", members: [] }),
      { path: ["owners", "shop", "members"] },
    ],
    [
      "an address of a web site",
      (raw) => (raw.stores.desk = { kind: "drawer", address: "desk" }),
      { expected: "Invalid URL", found: '"desk"' },
    ],
    [
      "neither of two forms",
      (raw) => (raw.credentials.orders = credential({ consumers: [5] })),
      { expected: "the name of a consumer, or a map with `consumer`", found: "5" },
    ],
    [
      "a place that is no map",
      (raw) => (raw.credentials.orders = credential({ place: "x" })),
      { expected: "a map", path: ["credentials", "orders", "place"] },
    ],
    [
      "a pinned consumer's place",
      (raw) =>
        (raw.credentials.orders = credential({
          consumers: [{ consumer: "web", isolation: "pinned", place: { pth: "x1" } }],
        })),
      {},
    ],
    [
      "the nearest of several forms of a map",
      (raw) => {
        raw.consumers.jobs = { owner: "ada", observe: [{ kind: "watch", at: { port: 0 } }] };
      },
      { path: ["consumers", "jobs", "observe", 0, "at", "port"], expected: "at least 1" },
    ],
    [
      "the one of several forms of a map of which the least is wrong",
      (raw) => {
        raw.consumers.jobs = { owner: "ada", observe: [{ kind: "watch", at: { port: "all" } }] };
      },
      { path: ["consumers", "jobs", "observe", 0, "at", "port"], expected: "a number", found: '"all"' },
    ],
    [
      "none of several forms of a map",
      (raw) => {
        raw.consumers.jobs = { owner: "ada", observe: [{ kind: "watch", at: { prot: 1 } }] };
      },
      { expected: "a map with `port`, a map with `file` or a list", found: "a map" },
    ],
    [
      "a field that one of several forms has",
      (raw) => {
        raw.consumers.jobs = { owner: "ada", observe: [{ kind: "watch", at: { file: "/f", moed: 1 } }] };
      },
      { path: ["consumers", "jobs", "observe", 0, "at", "moed"], hint: 'did you mean "mode"?' },
    ],
    [
      "a day that does not exist",
      (raw) => (raw.policies.calm = { freezes: [{ from: "2027-02-30", until: "2027-03-09", reason: "x" }] }),
      { expected: "a day and hour that exist" },
    ],
    [
      "a zone that does not exist",
      (raw) =>
        (raw.policies.calm = { window: { days: ["mon"], from: "01:00", to: "02:00", timezone: "Mars" } }),
      { expected: "the name of a time zone, such as Europe/Berlin or UTC" },
    ],
    [
      "a network that is none",
      (raw) =>
        (raw.consumers.jobs = {
          owner: "ada",
          observe: [{ kind: "person" }],
          match: { address: ["10.0.0.0/40"] },
        }),
      { found: '"10.0.0.0/40"' },
    ],
    ...["10.0.0.1", "*", "*.", "DB1", "db*", "a b", "::1", ""].map(
      (claimed): Bad => [
        `a host that is none: ${claimed}`,
        (raw) =>
          (raw.consumers.jobs = { owner: "ada", observe: [{ kind: "person" }], match: { host: [claimed] } }),
        { found: JSON.stringify(claimed), expected: expect.stringContaining("the name of a host") },
      ],
    ),
  ];

  it.each(cases)("is explained: %s", (_, change, expected) => {
    const raw = sound();
    change(raw);
    const result = parseEstate(raw, kinds);
    expect(result.ok ? [] : result.issues[0]).toMatchObject(expected);
  });
});
