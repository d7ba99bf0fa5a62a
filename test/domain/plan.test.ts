/** The plan is what people sign, so its digest has to change with all that they agreed to, and with nothing else. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  amendmentApprovers,
  canonical,
  type PlanInput,
  planOf,
  pointOfNoReturn,
  signedText,
  wavesOf,
} from "../../domain/plan.js";
import type { Allowances, PlannedConsumer } from "../../domain/rotation/state.js";
import { policy, traits } from "./begin.js";

const sha256Hex = (text: string) => createHash("sha256").update(text).digest("hex");

type Planned = PlanInput["consumers"][number];

function consumer(id: string, more: Partial<Planned> = {}): Planned {
  return {
    id,
    owner: `owner-of-${id}`,
    isolation: "shared",
    reversible: true,
    place: "main",
    memoryMs: 0,
    canary: false,
    wave: null,
    ...more,
  };
}

const pinned = (id: string, more: Partial<Planned> = {}) =>
  consumer(id, { isolation: "pinned", place: `place-of-${id}`, ...more });

function input(more: Partial<PlanInput> = {}): PlanInput {
  return {
    installation: "inst",
    rotation: "rot",
    nonce: "nonce",
    credential: "cred",
    identity: "server",
    origin: { version: "old", slot: "a", fingerprint: null },
    target: { slot: "b" },
    systems: ["account:a", "place:main"],
    consumers: [
      consumer("one"),
      pinned("two", { canary: true, wave: 1, memoryMs: 5, evidence: "how it is seen" }),
    ],
    policy,
    traits: { ...traits, derives: [{ what: "session", maxLifeMs: 7, endedByDisable: false }] },
    approvers: ["owner", "second"],
    emergency: false,
    ...more,
  };
}

const digestOf = (made: PlanInput, now = 0) => planOf(made, now, sha256Hex).digest;

/** Every way to change one leaf of a value; nulls and empty lists count as leaves. */
function changesOf(value: unknown): unknown[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return [["more"]];
    return value.flatMap((item, index) =>
      changesOf(item).map((other) => value.map((old, at) => (at === index ? other : old))),
    );
  }
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([key, field]) =>
      changesOf(field).map((other) => ({ ...value, [key]: other })),
    );
  }
  if (typeof value === "boolean") return [!value];
  if (typeof value === "number") return [value + 1];
  return [value === null ? 1 : `${value}x`];
}

const consumers = fc.uniqueArray(
  fc.record({
    id: fc.stringMatching(/^[a-z]{1,3}$/),
    reversible: fc.boolean(),
    pinned: fc.boolean(),
    canary: fc.boolean(),
    wave: fc.option(fc.integer({ min: 1, max: 4 })),
  }),
  { selector: ({ id }) => id, maxLength: 8 },
);

const planned = consumers.map((list) =>
  list.map(({ id, pinned: alone, ...more }) => (alone ? pinned(id, more) : consumer(id, more))),
);

describe("H17: the digest", () => {
  test("does not change with the order of consumers and approvers, a name twice, or the age of the look", () => {
    const shuffled = planned.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    fc.assert(
      fc.property(shuffled, fc.integer(), fc.integer(), ([list, other], now, later) => {
        const plan = planOf(input({ consumers: list }), now, sha256Hex);
        const again = planOf(
          input({ consumers: other, approvers: ["second", "owner", "second"] }),
          later,
          sha256Hex,
        );
        expect(again).toEqual({ ...plan, madeAt: later });
      }),
    );
  });

  test("does not change with the order in which fields are written", () => {
    const reversed = Object.fromEntries(Object.entries(input()).reverse()) as unknown as PlanInput;
    expect(Object.keys(reversed)).not.toEqual(Object.keys(input()));
    expect(digestOf(reversed)).toBe(digestOf(input()));
  });

  test("changes with every field that it covers, and no two changes give the same", () => {
    const changed = changesOf(input()) as PlanInput[];
    expect(changed.length).toBeGreaterThan(50);
    expect(new Set([input(), ...changed].map((made) => digestOf(made))).size).toBe(changed.length + 1);
  });

  test("changes when a consumer comes or goes", () => {
    const made = [input(), input({ consumers: [consumer("one")] }), input({ consumers: [] })];
    expect(new Set(made.map((one) => digestOf(one))).size).toBe(3);
  });

  test("H7: can be computed anew from the plan as it is shown, and changes with everything that is shown", () => {
    const { digest, madeAt: _, ...plan } = planOf(input(), 0, sha256Hex);
    const shown = JSON.parse(JSON.stringify(plan)) as typeof plan;
    const again = (changed: unknown) => {
      const { terms, ...rest } = changed as typeof plan;
      if (terms === undefined) throw new Error("no terms");
      return sha256Hex(signedText({ ...rest, terms }));
    };
    expect(again(shown)).toBe(digest);
    const changed = changesOf(shown);
    expect(changed.length).toBeGreaterThan(50);
    for (const one of changed) expect(again(one)).not.toBe(digest);
  });

  test("is over waves and point of no return too, under a form of its own", () => {
    const texts: string[] = [];
    planOf(input(), 0, (text) => `${texts.push(text)}`);
    expect(JSON.parse(texts[0] ?? "")).toMatchObject({
      form: "rekey-plan/1",
      waves: [
        { place: "place-of-two", consumers: ["two"] },
        { place: "main", consumers: ["one"] },
      ],
      pointOfNoReturn: "destroy",
    });
    expect(texts[0]).not.toContain("madeAt");
  });
});

describe("the plan", () => {
  test("shows what was signed, without what only ordered the waves", () => {
    const plan = planOf(input(), 42, () => "digest");
    const {
      canary: _canary,
      wave: _wave,
      ...two
    } = pinned("two", {
      memoryMs: 5,
      evidence: "how it is seen",
    });
    expect(plan).toMatchObject({
      digest: "digest",
      identity: "server",
      approvers: ["owner", "second"],
      madeAt: 42,
    });
    expect(plan.consumers[1]).toEqual(two);
  });
});

describe("canonical JSON", () => {
  test("sorts keys, leaves out what is undefined, writes null for it in lists, and has no spaces", () => {
    expect(canonical({ b: [1, undefined, null], a: { d: "ü\n", c: undefined }, "": true })).toBe(
      '{"":true,"a":{"d":"ü\\n"},"b":[1,null,null]}',
    );
    expect(canonical(undefined)).toBe("null");
  });

  test("says the same as JSON, whatever the value, and is its own canonical form", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value));
        expect(JSON.parse(canonical(plain))).toEqual(plain);
        expect(canonical(JSON.parse(canonical(plain)))).toBe(canonical(plain));
      }),
    );
  });

  test("is the same for every order of keys, and another for another value", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (record, key) => {
        const turned = Object.fromEntries(Object.entries(record).reverse());
        expect(canonical(turned)).toBe(canonical(record));
        expect(canonical({ ...record, [`${key}!`]: "more" })).not.toBe(
          canonical({ ...record, [`${key}!`]: "other" }),
        );
      }),
    );
  });
});

describe("waves", () => {
  test("H1: all that share a place are one wave, and everybody is in exactly one", () => {
    fc.assert(
      fc.property(planned, (list) => {
        const waves = wavesOf(list, traits);
        expect(waves.flatMap((wave) => wave.consumers).sort()).toEqual(list.map(({ id }) => id).sort());
        expect(new Set(waves.map((wave) => wave.place)).size).toBe(waves.length);
        for (const { place, consumers: ids } of waves) {
          expect(ids).toEqual([...ids].sort());
          for (const id of ids) expect(list.find((one) => one.id === id)?.place).toBe(place);
        }
      }),
    );
  });

  test("H29: a place with an irreversible consumer comes after every place without one", () => {
    fc.assert(
      fc.property(planned, (list) => {
        const stuck = wavesOf(list, traits).map(({ consumers: ids }) =>
          list.some((one) => ids.includes(one.id) && !one.reversible),
        );
        expect(stuck).toEqual([...stuck].sort());
      }),
    );
  });

  test("go by number, then canaries, then the pinned, then the shared, then by name", () => {
    const order = wavesOf(
      [
        consumer("shared"),
        pinned("z"),
        pinned("b"),
        pinned("canary", { canary: true }),
        pinned("second", { wave: 2 }),
        pinned("first", { wave: 1 }),
        pinned("stuck", { wave: 1, reversible: false }),
      ],
      traits,
    ).flatMap((wave) => wave.consumers);
    expect(order).toEqual(["first", "second", "canary", "b", "z", "shared", "stuck"]);
  });

  test("without consumers there is still the main place to write", () => {
    expect(wavesOf([], traits)).toEqual([{ place: "main", consumers: [] }]);
  });
});

describe("H29: the point of no return", () => {
  test.each([
    ["destroy", {}, [consumer("one")]],
    ["disable", { disableReversible: false }, [consumer("one")]],
    ["deliver to a, b", {}, [consumer("b", { reversible: false }), consumer("a", { reversible: false })]],
    ["deliver to a", { disableReversible: false }, [consumer("a", { reversible: false })]],
    ["issue", { overlap: "none" as const }, [consumer("a", { reversible: false })]],
  ])("is the first step that cannot be undone: %s", (said, more, list) => {
    expect(pointOfNoReturn({ traits: { ...traits, ...more }, consumers: list })).toBe(said);
  });
});

describe("H17: whom an amendment asks", () => {
  const agreed = planOf(input(), 0, sha256Hex);
  const none: Allowances = { exceptions: [], claims: {} };
  const allowing = planOf({ ...input(), allows: none }, 0, sha256Hex);
  const [one, two] = agreed.consumers;
  const late = { ...one, id: "late", owner: "owner-of-late" } as PlannedConsumer;
  const asks = (consumers: readonly (PlannedConsumer | undefined)[], quorum = 1, allows?: Allowances) =>
    amendmentApprovers(
      allows === undefined ? agreed : allowing,
      consumers.filter((consumer) => consumer !== undefined),
      allows,
      ["owner"],
      quorum,
    );

  test("the owners of what it adds or changes, each once", () => {
    expect(asks([one, two, late])).toEqual(["owner-of-late"]);
    expect(asks([one, two, late, { ...late, id: "later" }])).toEqual(["owner-of-late"]);
    const moved = { ...one, evidence: "another way", owner: "owner-of-one" } as PlannedConsumer;
    expect(asks([moved, two])).toEqual(["owner-of-one"]);
  });

  test("the policy's owners where no consumer is new, where nobody owns it, and where one person is too few", () => {
    expect(asks([one, two])).toEqual(["owner"]);
    expect(asks([one])).toEqual(["owner"]);
    expect(asks([one, two, { ...late, owner: "" }])).toEqual(["owner"]);
    expect(asks([one, two, late], 2)).toEqual(["owner-of-late", "owner"]);
  });

  test("H37: the policy's owners where more is let pass of those who were agreed to: a new consumer's owner allows no more than it", () => {
    const { exceptions, claims } = none;
    const own = { exceptions, claims: { ...claims, late: ["applicationName: late"] } };
    expect(asks([one, two, late], 1, own)).toEqual(["owner-of-late"]);
    const stranger = {
      exceptions,
      claims: { ...own.claims, [one?.id ?? ""]: ["applicationName: stranger"] },
    };
    expect(asks([one, two, late], 1, stranger)).toEqual(["owner"]);
    const about = {
      finding: "unmapped-reader",
      owner: "owner-of-late",
      reason: "",
      until: "2030-01-01",
    } as const;
    expect(asks([one, two, late], 1, { ...own, exceptions: [about] })).toEqual(["owner"]);
    expect(asks([one, two, late], 2, { ...own, exceptions: [about] })).toEqual(["owner-of-late", "owner"]);
  });
});
