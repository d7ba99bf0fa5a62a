/** Each named check refuses what it is for and nothing else, and an emergency waives only what may be waived. */
import { describe, expect, test } from "vitest";
import { type AssessInput, assess } from "../../domain/checks.js";
import type { Finding } from "../../domain/finding.js";
import { tagText, traits } from "./begin.js";

const reader = { name: "orders", owner: "olivia", observable: true, instances: 2, memoryKnown: true };

function input(more: Partial<AssessInput> = {}): AssessInput {
  return {
    installation: "inst",
    owner: "olivia",
    approvers: 1,
    quorum: 1,
    consumers: [reader],
    unmapped: [],
    unmappedReaders: "refuse",
    traits,
    slots: [{ slot: "a", tag: tagText("old", "enabled"), enabled: true }],
    places: [{ place: "main", tag: tagText("old", "enabled") }],
    freeSlots: 1,
    originProof: [{ node: "one", ok: true }],
    watermarkSeen: true,
    identityChanged: false,
    holdCopyKept: true,
    preflight: [],
    emergency: false,
    ...more,
  };
}

const stranger = { application: "report.py", address: "10.0.0.7", count: 3 };
const foreignTag = tagText("old", "enabled").replace("inst=inst", "inst=copy");

interface Case {
  readonly code: string;
  readonly given: Partial<AssessInput>;
  readonly severity?: Finding["severity"];
  /** What the finding is about, where it names something. */
  readonly subject?: string;
  readonly says: RegExp;
  /** What is left of a refusal in an emergency. */
  readonly inEmergency: Finding["severity"];
}

const cases: Readonly<Record<string, Case>> = {
  "H37: whoever would have to sign has left, and has no key any more": {
    code: "too-few-approvers",
    given: {
      approvers: 0,
      keyless: [
        { person: "olivia", manager: "mona" },
        { person: "omar", manager: null },
      ],
    },
    says: /only 0 may\. olivia has no key to sign with, and may have left; ask mona, who is named as manager\. omar has no key to sign with, and may have left\.$/,
    inEmergency: "warn",
  },
  "H27: what is taken with it and runs out": {
    code: "outlives-it",
    given: { traits: { ...traits, derives: [{ what: "tokens", maxLifeMs: 60_000, endedByDisable: false }] } },
    severity: "info",
    says: /tokens that were taken with it; 1m are waited for/,
    inEmergency: "info",
  },
  "H27: what is taken with it and has no end": {
    code: "outlives-it",
    given: { traits: { ...traits, derives: [{ what: "tokens", maxLifeMs: null, endedByDisable: false }] } },
    severity: "warn",
    says: /nobody knows how long they live/,
    inEmergency: "warn",
  },
  "a credential without an owner": {
    code: "no-owner",
    given: { owner: null },
    says: /no owner/,
    inEmergency: "warn",
  },
  "a consumer without an owner": {
    code: "consumer-without-owner",
    given: { consumers: [reader, { ...reader, name: "stray", owner: null }] },
    subject: "stray",
    says: /stray has no owner/,
    inEmergency: "warn",
  },
  "too few who may agree": {
    code: "too-few-approvers",
    given: { approvers: 1, quorum: 2 },
    says: /asks 2 persons to agree, and only 1 may/,
    inEmergency: "warn",
  },
  "C7: a reader that nobody declared": {
    code: "unmapped-reader",
    given: { unmapped: [stranger] },
    subject: "report.py from 10.0.0.7",
    says: /3 sessions of report\.py from 10\.0\.0\.7/,
    inEmergency: "warn",
  },
  "C7: a reader that does not name itself": {
    code: "unmapped-reader",
    given: { unmapped: [{ ...stranger, application: "" }] },
    subject: "a client without a name from 10.0.0.7",
    says: /a client without a name from 10\.0\.0\.7/,
    inEmergency: "warn",
  },
  "C7: a reader on the server's own host": {
    code: "unmapped-reader",
    given: { unmapped: [{ ...stranger, address: "local" }] },
    subject: "report.py from a socket of the server's machine",
    says: /report\.py from a socket of the server's machine/,
    inEmergency: "warn",
  },
  "C7: a reader of whom the issuer does not show where it is": {
    code: "unmapped-reader",
    given: { unmapped: [{ ...stranger, address: "" }] },
    subject: "report.py from an unknown address",
    says: /report\.py from an unknown address/,
    inEmergency: "warn",
  },
  "C7: a reader that nobody declared, where the policy only warns": {
    code: "unmapped-reader",
    given: { unmapped: [stranger], unmappedReaders: "warn" },
    severity: "warn",
    subject: "report.py from 10.0.0.7",
    says: /no declared consumer/,
    inEmergency: "warn",
  },
  "a consumer that nothing can see": {
    code: "not-observable",
    given: { consumers: [{ ...reader, observable: false, instances: null }] },
    subject: "orders",
    says: /which version consumer orders uses/,
    inEmergency: "warn",
  },
  "H10: a consumer whose listing failed": {
    code: "instances-unknown",
    given: { consumers: [{ ...reader, instances: null }] },
    subject: "orders",
    says: /No instance of consumer orders/,
    inEmergency: "warn",
  },
  "H10: a consumer whose listing is empty": {
    code: "instances-unknown",
    given: { consumers: [{ ...reader, instances: 0 }] },
    subject: "orders",
    says: /No instance of consumer orders/,
    inEmergency: "warn",
  },
  "H22: a consumer whose memory is not stated": {
    code: "memory-unknown",
    given: { consumers: [{ ...reader, memoryKnown: false }] },
    severity: "warn",
    subject: "orders",
    says: /keeps a credential \(pool, cache, cadence\)/,
    inEmergency: "warn",
  },
  "H21: the engine does not see its own mark": {
    code: "sessions-not-visible",
    given: { watermarkSeen: false },
    says: /does not see its own session/,
    inEmergency: "warn",
  },
  "H19: the copy for going back has gone": {
    code: "hold-copy-missing",
    given: { holdCopyKept: false },
    says: /going back needs is gone/,
    inEmergency: "warn",
  },
  "H9: another server": {
    code: "wrong-server",
    given: { identityChanged: true },
    says: /not the server that the plan was made for/,
    inEmergency: "refuse",
  },
  "H12: the store holds no value": {
    code: "drifted",
    given: { originProof: null },
    says: /no way back/,
    inEmergency: "warn",
  },
  "H12: the stored value does not log in at one of the nodes": {
    code: "drifted",
    given: {
      originProof: [
        { node: "one", ok: true },
        { node: "two", ok: false },
      ],
    },
    subject: "two",
    says: /does not log in at two; it was changed outside/,
    inEmergency: "warn",
  },
  "H8: the tag of another installation": {
    code: "foreign-tag",
    given: { slots: [{ slot: "b", tag: foreignTag, enabled: false }] },
    subject: "b",
    says: /b carries the tag of installation copy/,
    inEmergency: "refuse",
  },
  "H8: the tag of another installation in the store": {
    code: "foreign-tag",
    given: { places: [{ place: "main", tag: foreignTag }] },
    subject: "main",
    says: /^The place main in the store carries the tag of installation copy/,
    inEmergency: "refuse",
  },
  "no slot for a new version": {
    code: "no-free-slot",
    given: { freeSlots: 0 },
    says: /no free account or slot/,
    inEmergency: "warn",
  },
  "a kind without overlap": {
    code: "no-overlap",
    given: { traits: { ...traits, overlap: "none" } },
    severity: "warn",
    says: /cannot be valid together/,
    inEmergency: "warn",
  },
};

describe("a check", () => {
  test("finds nothing where everything is as it should be", () => {
    expect(assess(input())).toEqual([]);
    expect(assess(input({ emergency: true }))).toEqual([]);
  });

  test.each(Object.entries(cases))("names %s", (_name, { code, given, severity, subject, says }) => {
    const found = assess(input(given));
    expect(found).toEqual([
      {
        code,
        severity: severity ?? "refuse",
        sentence: expect.stringMatching(says),
        ...(subject === undefined ? {} : { subject }),
      },
    ]);
  });

  test.each(Object.entries(cases))(
    "in an emergency, of %s, keeps what holds and shows what is waived",
    (_name, { code, given, inEmergency }) => {
      const found = assess(input({ ...given, emergency: true }));
      expect(found.map((finding) => [finding.code, finding.severity])).toEqual([[code, inEmergency]]);
    },
  );

  test("leaves out what is somebody else's to say: no tag, a comment, our own", () => {
    const tags = ["", "the orders team's login", tagText("old", "enabled")];
    const slots = tags.map((tag, index) => ({ slot: `s${index}`, tag, enabled: true }));
    expect(assess(input({ slots }))).toEqual([]);
  });

  test("names each of several, not only the first", () => {
    const unmapped = [stranger, { ...stranger, application: "psql" }];
    const originProof = ["one", "two"].map((node) => ({ node, ok: false }));
    const found = assess(input({ unmapped, originProof }));
    expect(found.map(({ subject }) => subject)).toEqual([
      "one",
      "two",
      "report.py from 10.0.0.7",
      "psql from 10.0.0.7",
    ]);
  });
});

describe("the list", () => {
  const preflight: Finding[] = [
    { code: "z-info", severity: "info", sentence: "" },
    { code: "a-warn", severity: "warn", sentence: "" },
    { code: "a-refuse", severity: "refuse", sentence: "" },
  ];

  test("has the adapters' own findings among ours, worst first, then by code", () => {
    const found = assess(input({ owner: null, traits: { ...traits, overlap: "none" }, preflight }));
    expect(found.map(({ code }) => code)).toEqual(["a-refuse", "no-owner", "a-warn", "no-overlap", "z-info"]);
  });

  test("an emergency waives none of the adapters' refusals: they say what cannot be done", () => {
    expect(assess(input({ preflight, emergency: true }))[0]).toEqual(preflight[2]);
  });
});
