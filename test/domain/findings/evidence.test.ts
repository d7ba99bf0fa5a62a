/** That a source fails is a finding by itself, whoever waits for what it would show. */
import { expect, test } from "vitest";
import { failingFindings } from "../../../domain/findings/evidence.js";

const read = {
  ...{ id: "src_1", name: "sessions", owner: "o-shop", wholeAt: Date.UTC(2026, 7, 1), failure: null },
  ...{ since: null, silentSince: null, silentLog: null, gaps: [], unreadable: 0 },
};

test("a source whose last reading failed is named with the reason, its owner and when it was whole last", () => {
  const failure = "main-db cannot be reached.";
  const [old, never, ...more] = failingFindings([
    read,
    { ...read, id: "src_2", failure },
    { ...read, id: "src_3", name: "log", failure, wholeAt: null },
  ]);
  expect(more).toEqual([]);
  expect(old).toMatchObject({
    ...{ code: "source-failing", severity: "warn", owners: ["o-shop"], sources: ["src_2"], credential: null },
    subject: { id: "src_2", type: "source", name: "sessions" },
    sentence:
      "The last reading of the source sessions failed: main-db cannot be reached. It was read to its end on 2026-08-01 00:00 UTC last.",
  });
  expect(never?.sentence).toBe(
    "The last reading of the source log failed: main-db cannot be reached. It was never read to its end.",
  );
});
