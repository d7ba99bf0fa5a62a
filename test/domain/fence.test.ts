/** Tags are compared as texts and read as facts, so both have to say exactly the same. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type FenceTag, formatTag, parseTag } from "../../domain/fence.js";

const id = fc.stringMatching(/^[\w-]+$/);
const count = fc.nat({ max: 999_999_999_999_999 });
const tags: fc.Arbitrary<FenceTag> = fc.record({
  installation: id,
  rotation: id,
  epoch: count,
  version: id,
  state: fc.constantFrom("enabled", "disabled", "destroyed"),
  change: count,
});

const fields = fc.constantFrom<(keyof FenceTag)[]>(
  "installation",
  "rotation",
  "epoch",
  "version",
  "state",
  "change",
);

const written = "rekey/1 inst=inst-1 rotation=rot_2 epoch=3 version=ver-4 state=disabled change=5";

describe("a tag", () => {
  test("has one form", () => {
    const tag = {
      installation: "inst-1",
      rotation: "rot_2",
      epoch: 3,
      version: "ver-4",
      state: "disabled",
      change: 5,
    } as const;
    expect(formatTag(tag)).toBe(written);
    expect(parseTag(written)).toEqual(tag);
  });

  test("is read as it was written", () => {
    fc.assert(
      fc.property(tags, (tag) => {
        expect(parseTag(formatTag(tag))).toEqual(tag);
      }),
    );
  });

  test("H3: two tags are the same text only when they are the same in every field", () => {
    fc.assert(
      fc.property(tags, tags, fields, (a, b, field) => {
        const near = { ...a, [field]: b[field] };
        expect(formatTag(a) === formatTag(near)).toBe(a[field] === b[field]);
      }),
    );
  });

  test("H8: what somebody else wrote is none of ours", () => {
    const others = [
      null,
      undefined,
      "",
      "the orders team's login",
      ` ${written}`,
      `${written} `,
      `${written}\n`,
      `${written}\nmore`,
      written.replace("rekey/1", "rekey/2"),
      written.replace("disabled", "paused"),
      written.replace("epoch=3", "epoch=-3"),
      written.replace("epoch=3", "epoch=1234567890123456"),
      written.replace("inst=inst-1", "inst="),
      written.replace("rot_2", "rot 2"),
    ];
    expect(others.filter((text) => parseTag(text) !== null)).toEqual([]);
  });
});
