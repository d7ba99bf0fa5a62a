/** Restored records are recognised by what is ahead of them, and by nothing else. */
import { expect, test } from "vitest";
import { formatTag } from "../../domain/fence.js";
import {
  aheadTold,
  type Generation,
  haltError,
  isFurther,
  objectionToRecords,
  ownTags,
  restoreDigest,
  tagsAhead,
} from "../../domain/restore.js";

const at = (number: number, mark: number, id = `gen_${number}`): Generation => ({ number, mark, id });

test("H32: a note that is further than the records objects to them, and one that is not does not", () => {
  expect(objectionToRecords(at(1, 5), null)).toBeNull();
  expect(objectionToRecords(at(1, 5), at(1, 5))).toBeNull();
  expect(objectionToRecords(at(1, 5), at(1, 4))).toBeNull();
  // Another machine noted more before the records were accepted.
  expect(objectionToRecords(at(2, 5), at(1, 9))).toBeNull();
  expect(objectionToRecords(at(1, 5), at(1, 6))).toBe(
    "This machine has noted generation 1 and 6 changes; the records have 5.",
  );
  expect(objectionToRecords(at(1, 5), at(2, 0))).toBe(
    "This machine has noted generation 2 and 0 changes; the records are of generation 1.",
  );
  expect(objectionToRecords(at(1, 5), at(1, 2, "gen_other"))).toMatch(/of another line of records/);
});

test("the further of two is noted, and never that of another line", () => {
  expect(isFurther(at(1, 0), null)).toBe(true);
  expect(isFurther(at(1, 2), at(1, 1))).toBe(true);
  expect(isFurther(at(2, 0), at(1, 9))).toBe(true);
  expect(isFurther(at(1, 1), at(1, 1))).toBe(false);
  expect(isFurther(at(1, 9), at(2, 0))).toBe(false);
  expect(isFurther(at(1, 9, "gen_other"), at(1, 1))).toBe(false);
});

test("H32: a tag of ours is ahead where the records do not know its rotation, or not that far", () => {
  const text = (rotation: string, epoch: number, change: number, installation = "inst") =>
    formatTag({ installation, rotation, epoch, change, version: "v", state: "enabled" });
  const tags = ownTags(
    [
      "",
      "a comment",
      text("rot_1", 1, 1, "theirs"),
      text("rot_1", 2, 3),
      text("rot_2", 1, 1),
      text("rot_1", 3, 1),
      text("rot_1", 1, 4),
    ],
    "inst",
  );
  expect(tags).toHaveLength(4);
  const known = new Map([["rot_1", { epoch: 2, change: 3 }]]);
  const ahead = tagsAhead(tags, known);
  expect(ahead.map((tag) => aheadTold(tag, known.get(tag.rotation)))).toEqual([
    "A tag outside is of rotation rot_2, epoch 1, change 1; the records know no such rotation.",
    "A tag outside is of rotation rot_1, epoch 3, change 1; the records know it up to epoch 2 and change 3.",
    "A tag outside is of rotation rot_1, epoch 1, change 4; the records know it up to epoch 2 and change 3.",
  ]);
});

test("the refusal says by what it was seen; what is signed names this restore alone", () => {
  const halt = { id: "rst_1", noticedAt: 0, evidence: ["A tag is ahead.", "Another."] };
  expect(haltError(halt)).toMatchObject({
    code: "restored",
    message: "The inventory was restored to an earlier time. A tag is ahead.",
    hint: expect.stringContaining("rekey reconcile --restored"),
  });
  expect(haltError({ ...halt, evidence: [] }).message).toBe("The inventory was restored to an earlier time.");
  expect(restoreDigest(halt)).toBe("restored/rst_1");
});
