/** Entries: one text, the same for the same record, in which nobody's name stands (H40). */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import {
  type AuditEntry,
  type AuditRecord,
  auditEntryOf,
  bodyOf,
  commitment,
  isEntry,
} from "../../domain/audit.js";

const sha256Hex = (text: string) => createHash("sha256").update(text).digest("hex");
const record: AuditRecord = {
  kind: "decision",
  at: 7,
  rotation: "rot_1",
  facts: { says: "approve", consumer: undefined, id: "not the entry's" },
  personal: { person: "ann", reason: null },
};

test("H40: the text has facts and commitments, keys in order, and no name", () => {
  const entry = auditEntryOf(record, "aud_1", () => "salt", sha256Hex);
  const committed = commitment("aud_1", "person", { salt: "salt", value: "ann" }, sha256Hex);
  expect(entry.body).toBe(
    `{"at":7,"form":"rekey-audit/1","id":"aud_1","kind":"decision","personal":{"person":"${committed}"},"rotation":"rot_1","says":"approve"}`,
  );
  expect(entry.openings).toEqual({ person: { salt: "salt", value: "ann" } });
  expect(bodyOf(entry.body)).toMatchObject({ id: "aud_1", kind: "decision", says: "approve" });
});

test("a commitment is to this field of this entry, with this salt", () => {
  const opening = { salt: "salt", value: "ann" };
  const others = [
    commitment("aud_2", "person", opening, sha256Hex),
    commitment("aud_1", "reason", opening, sha256Hex),
    commitment("aud_1", "person", { ...opening, salt: "other" }, sha256Hex),
    commitment("aud_1", "person", { ...opening, value: "bob" }, sha256Hex),
  ];
  expect(others).not.toContain(commitment("aud_1", "person", opening, sha256Hex));
  expect(new Set(others).size).toBe(4);
});

test("without a rotation and without anybody, neither stands in the text", () => {
  const { body } = auditEntryOf({ ...record, rotation: null, personal: {} }, "aud_1", () => "", sha256Hex);
  expect(Object.keys(bodyOf(body)).sort()).toEqual(["at", "form", "id", "kind", "says"]);
});

test("only what was told can stand in the log: its own id, canonical, and nothing that the database cannot hold", () => {
  const told = auditEntryOf(record, "aud_1", () => "salt", sha256Hex);
  expect(isEntry(told)).toBe(true);
  const wrong: readonly AuditEntry[] = [
    { ...told, id: "aud_2" },
    auditEntryOf(record, "gap_1", () => "salt", sha256Hex),
    { ...told, body: `${told.body} ` },
    { ...told, body: "no JSON" },
    { ...told, body: "null" },
    { ...told, openings: { person: { salt: "salt", value: "a\0b" } } },
    { ...told, openings: { person: { salt: "salt", value: 7 } } as unknown as AuditEntry["openings"] },
    auditEntryOf({ ...record, facts: { says: "\ud800" } }, "aud_1", () => "salt", sha256Hex),
    auditEntryOf({ ...record, at: 0.5 }, "aud_1", () => "salt", sha256Hex),
    auditEntryOf({ ...record, rotation: 7 as unknown as string }, "aud_1", () => "salt", sha256Hex),
  ];
  expect(wrong.filter(isEntry)).toEqual([]);
});
