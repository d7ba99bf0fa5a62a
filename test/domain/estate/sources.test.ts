/** Sources and the systems that they name: what both say has to be the same, and the systems have to be there. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { EstateKinds, NamedSystems } from "../../../domain/estate/kinds.js";
import { parseEstate } from "../../../domain/estate/parse.js";
import { issuesOf, kinds, sound } from "./fixtures.js";

describe("sources", () => {
  const file = z.string().describe("File.");
  const journal = {
    sees: "use" as const,
    config: z.strictObject({
      file,
      store: z.string().optional().describe("Store."),
      issuer: file.optional(),
    }),
    contradicts: ({ file: path }: Readonly<Record<string, unknown>>, { store, issuer }: NamedSystems) =>
      store?.address === path && issuer?.host === undefined
        ? []
        : [
            {
              field: "file",
              sentence: `it is not of ${store?.kind} and ${issuer?.kind}`,
              hint: "say another",
            },
          ],
  };
  const withJournal: EstateKinds = { ...kinds, sources: { ...kinds.sources, journal } };
  const issuesWith = (sources: Record<string, unknown>) => {
    const parsed = parseEstate({ ...sound(), sources }, withJournal);
    return parsed.ok
      ? []
      : parsed.issues.map(({ code, path, message, hint }) => [code, path.join("."), message, hint]);
  };

  it("say of a system what its own entry says", () => {
    const own = { kind: "journal", owner: "ada", file: "https://desk.example.com", store: "desk" };
    expect(issuesWith({ j: own, l: { kind: "log", owner: "ada", file: "f" } })).toEqual([]);
    expect(issuesWith({ j: { ...own, file: "other" } })).toEqual([
      ["other-system", "sources.j.file", "it is not of drawer and undefined", "say another"],
    ]);
    expect(issuesWith({ j: { ...own, issuer: "books" } })).toEqual([
      ["other-system", "sources.j.file", "it is not of drawer and ledger", "say another"],
    ]);
    expect(issuesWith({ j: { kind: "journal", owner: "ada", file: "f" } })).toEqual([
      ["other-system", "sources.j.file", "it is not of undefined and undefined", "say another"],
    ]);
  });

  it("name stores that there are, in their lists too", () => {
    const raw = sound();
    raw.sources = {
      j: { kind: "journal", owner: "ada", file: "f", stores: [{ as: "x", store: "dsk" }, { as: "y" }] },
    };
    expect(issuesOf(raw)).toContain(
      "unknown-reference sources.j.stores.0.store: there is no store of this name",
    );
  });
});
