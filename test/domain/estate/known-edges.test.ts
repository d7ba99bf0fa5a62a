/** What people know and no source sees: by name or in a map, of entries that there are, and of places as their kinds have them. */
import { describe, expect, test } from "vitest";
import { parseEstate } from "../../../domain/estate/parse.js";
import type { Estate } from "../../../domain/estate/types.js";
import { credential, issuesOf, kinds, sound } from "./fixtures.js";

function parsed(raw: unknown): Estate {
  const result = parseEstate(raw, kinds);
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.estate;
}

const of = (fields: Record<string, unknown>) => ({ ...sound(), credentials: { orders: credential(fields) } });
const web = (dependsOn: unknown) => {
  const raw = sound();
  raw.consumers.web = { ...(raw.consumers.web as object), dependsOn };
  return raw;
};

describe("what a credential opens and a consumer needs", () => {
  test("is one form, however it was written", () => {
    const place = { path: "till" };
    const { orders } = parsed(
      of({
        canRead: ["desk", { store: "desk" }, { store: "desk", place }, { credential: "orders" }],
        mints: ["orders", { credential: "orders" }, { issuer: "books" }],
      }),
    ).credentials;
    expect(orders?.canRead).toEqual([
      { store: "desk" },
      { store: "desk" },
      { store: "desk", place: { ...place, field: "password" } },
      { credential: "orders" },
    ]);
    expect(orders?.mints).toEqual([{ credential: "orders" }, { credential: "orders" }, { issuer: "books" }]);
    expect(parsed(web(["jobs", { store: "desk" }, { issuer: "books" }])).consumers.web?.dependsOn).toEqual([
      { consumer: "jobs" },
      { store: "desk" },
      { issuer: "books" },
    ]);
  });

  test("leaves an estate that says nothing of it as it was", () => {
    const { credentials, consumers } = parsed(sound());
    expect(Object.keys(credentials.orders ?? {})).not.toContain("canRead");
    expect(Object.keys(consumers.web ?? {})).not.toContain("dependsOn");
  });

  test("names what there is", () => {
    expect(
      issuesOf(of({ canRead: ["dekk", { credential: "order" }], mints: ["order", { issuer: "book" }] })),
    ).toEqual([
      "unknown-reference credentials.orders.canRead.0: there is no store of this name",
      "unknown-reference credentials.orders.canRead.1.credential: there is no credential of this name",
      "unknown-reference credentials.orders.mints.0: there is no credential of this name",
      "unknown-reference credentials.orders.mints.1.issuer: there is no issuer of this name",
    ]);
    const result = parseEstate(web(["job"]), kinds);
    expect(result).toMatchObject({ ok: false, issues: [{ hint: 'did you mean "jobs"?' }] });
  });

  test("has the form that the store's kind gives to places, and no other fields", () => {
    expect(issuesOf(of({ canRead: [{ store: "desk", place: { pth: "till" } }] }))).toEqual([
      'missing credentials.orders.canRead.0.place.path: "path" is missing',
      'unknown-field credentials.orders.canRead.0.place.pth: "pth" is not a field here',
    ]);
    expect(issuesOf(of({ mints: [{ isuer: "books" }] }))).toEqual([
      'wrong-value credentials.orders.mints.0: "mints" cannot have this value',
    ]);
  });
});
