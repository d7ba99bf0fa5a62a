/** What the map's answer means for a rotation, and what an owner may take upon themself until a day. */
import { expect, test } from "vitest";
import { type BoundedException, bounded, exceptionMaxMs } from "../../domain/exceptions.js";
import type { Finding } from "../../domain/finding.js";
import { copyFindings, excepting, readerFindings, slowFindings } from "../../domain/mapped.js";

const now = Date.UTC(2026, 7, 1);
const day = 86_400_000;

const refusal: Finding = {
  code: "unmapped-reader",
  severity: "refuse",
  subject: "psql",
  sentence: "psql uses it.",
};

const exception = (more: Partial<BoundedException> = {}): BoundedException => ({
  finding: "unmapped-reader",
  owner: "ada",
  reason: "It is retired this month.",
  ...{ until: "2026-08-02T00:00:00.000Z", maxMs: 30 * day },
  ...more,
});

test("C7: who was seen or is given it stands in the way by the policy's rule; who only could read it never does", () => {
  const readers = (["session", "read", "declared", "potential", "past"] as const).map((known) => ({
    name: known,
    known,
    sentence: "Because.",
  }));
  const severities = (rule: "refuse" | "warn") =>
    readerFindings(readers, rule).map(({ code, severity, subject }) => `${subject} ${code} ${severity}`);
  expect(severities("refuse")).toEqual([
    "session unmapped-reader refuse",
    "read unmapped-reader refuse",
    "declared unmapped-reader refuse",
    "potential potential-reader warn",
    "past past-reader warn",
  ]);
  expect(severities("warn").every((text) => text.endsWith("warn"))).toBe(true);
});

test("C12 C18: a copy where no rotation changes it stands in the way, with those who read it there", () => {
  const copy = {
    name: "repository shop .env#PW",
    literal: true,
    past: false,
    readers: [],
    sentence: "A password.",
  };
  expect(copyFindings([copy, { ...copy, literal: false, readers: ["a", "b"] }], "refuse")).toMatchObject([
    {
      ...{ code: "unmapped-copy", severity: "refuse", subject: copy.name },
      sentence:
        "The value stands in repository shop .env#PW, written down outside of any store: whoever reads it there will fail when it is revoked. A password.",
    },
    {
      sentence:
        "The value stands in repository shop .env#PW, kept where no rotation changes it: a, b will fail when it is revoked. A password.",
    },
  ]);
});

test("C15: a value that has got into a history or a log is a reason to rotate, and stands in nobody's way", () => {
  const leak = { name: "commit 1 of shop", literal: true, past: true, readers: [], sentence: "A password." };
  expect(copyFindings([leak, { ...leak, readers: ["ci"] }], "refuse")).toMatchObject([
    { code: "leaked-copy", severity: "warn", subject: "commit 1 of shop" },
    { code: "unmapped-copy", severity: "refuse" },
  ]);
});

test("H22: a consumer that was seen to come back more rarely than anybody waits for is named", () => {
  const found = (intervalMs: number, waitedMs: number) =>
    slowFindings([{ consumer: "month-end", intervalMs }], new Map([["month-end", waitedMs]]));
  expect(found(30.2 * day, day)).toMatchObject([
    {
      ...{ code: "slow-consumer", severity: "warn", subject: "month-end" },
      sentence: "month-end was seen reading it about every 30 d, and only 1 d are waited for.",
    },
  ]);
  expect(found(30 * day, 30 * day)).toEqual([]);
  // What is read every few minutes needs no word about a quiet period of seconds.
  expect(found(day / 4, 1_000)).toEqual([]);
  expect(slowFindings([{ consumer: "other", intervalMs: 2 * day }], new Map())).toHaveLength(1);
});

test("C30: an exception lets its finding pass until its day, with who answers for it", () => {
  expect(excepting([refusal], [exception({ about: "psql" })], now)).toEqual([
    {
      ...refusal,
      severity: "warn",
      sentence: "psql uses it. ada answers for it until 2026-08-02: It is retired this month.",
    },
  ]);
  expect(excepting([refusal], [exception()], now + day)).toEqual([
    { ...refusal, sentence: "psql uses it. The exception that ada answered for ended on 2026-08-02." },
  ]);
});

test("C30: an exception has an end that is near enough, by the policy or by what holds without one", () => {
  const { maxMs: _policys, ...written } = exception({ until: "2027-02-01T00:00:00.000Z" });
  const asked = (policy: { exceptionMaxMs?: number } | null) =>
    excepting([refusal], bounded([written], policy), now)[0];
  expect(asked({ exceptionMaxMs: 184 * day })).toMatchObject({ severity: "warn" });
  for (const [policy, most] of [
    [{ exceptionMaxMs: 184 * day - 1 }, "15897599999ms"],
    [{}, "180d"],
    [null, "180d"],
  ] as const)
    expect(asked(policy)).toEqual({
      ...refusal,
      sentence: `psql uses it. The exception that ada answers for until 2027-02-01 does not count: it lasts longer than ${most} (\`exceptionMax\`).`,
    });
  // What was short enough when it was written stays so, and a shorter one beside it counts.
  expect(excepting([refusal], bounded([written], null), now + 4 * day)[0]?.severity).toBe("warn");
  const both = [exception({ until: "2999-01-01T00:00:00.000Z" }), exception()];
  expect(excepting([refusal], both, now)[0]?.severity).toBe("warn");
  expect(exceptionMaxMs).toBe(180 * day);
  expect(bounded(undefined, null)).toEqual([]);
});

test("one that names nobody says that it is for whatever is found of that kind", () => {
  const sentence = (finding: Finding) => excepting([finding], [exception()], now)[0]?.sentence;
  expect(sentence(refusal)).toBe(
    "psql uses it. ada answers for every unmapped-reader of the credential until 2026-08-02: It is retired this month.",
  );
  const { subject: _nobody, ...whole } = refusal;
  expect(sentence(whole)).toContain("ada answers for it until 2026-08-02");
});

test("an exception is for its finding and its subject alone", () => {
  expect(excepting([refusal], [exception({ about: "another" })], now)).toEqual([refusal]);
  expect(excepting([refusal], [exception({ finding: "stale-evidence" })], now)).toEqual([refusal]);
  expect(excepting([refusal], [exception({ about: "psql" })], now)[0]?.severity).toBe("warn");
  const shown: Finding = { ...refusal, severity: "warn" };
  expect(excepting([shown], [exception()], now)).toEqual([shown]);
});
