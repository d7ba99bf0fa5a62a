/** An operator gets the same words, hint and exit code for the same failure, wherever it surfaces. */
import { describe, expect, test } from "vitest";
import {
  type ErrorCode,
  errorEntry,
  exitCodeOf,
  exitCodes,
  isErrorCode,
  RekeyError,
} from "../../domain/errors.js";

/** The exit code and the retryability of each code; complete by its type. */
const table: Readonly<Record<ErrorCode, readonly [keyof typeof exitCodes, RekeyError["retry"]]>> = {
  "bad-input": ["usage", "never"],
  "secret-in-input": ["usage", "never"],
  "not-found": ["usage", "never"],
  "refused-by-policy": ["refused", "never"],
  "rotation-open": ["refused", "never"],
  "foreign-installation": ["refused", "never"],
  "decision-refused": ["refused", "never"],
  unsupported: ["refused", "never"],
  "not-permitted": ["refused", "never"],
  unauthenticated: ["refused", "never"],
  restored: ["refused", "never"],
  "too-many": ["unavailable", "safe"],
  "needs-operator": ["operator", "never"],
  unreachable: ["unavailable", "safe"],
  "missing-setup": ["unavailable", "never"],
  "audit-down": ["unavailable", "safe"],
  "audit-broken": ["failed", "never"],
  fenced: ["failed", "never"],
  superseded: ["failed", "never"],
  "run-reset": ["failed", "never"],
  "wrong-server": ["failed", "never"],
  "unknown-outcome": ["failed", "unknown-outcome"],
  conflict: ["failed", "safe"],
  busy: ["failed", "safe"],
  "value-missing": ["failed", "never"],
  "proof-failed": ["failed", "safe"],
  "already-closed": ["failed", "never"],
  internal: ["failed", "never"],
};
const rows = Object.entries(table) as [ErrorCode, (typeof table)[ErrorCode]][];

describe("every code", () => {
  test.each(rows)(
    "%s has its exit code, its retryability, and a sentence for each question",
    (code, [exit, retry]) => {
      expect(exitCodeOf(code)).toBe(exitCodes[exit]);
      expect(errorEntry(code).retry).toBe(retry);
      expect(errorEntry(code).summary).toMatch(/^[A-Z].+\.$/);
      expect(errorEntry(code).hint).toMatch(/^[A-Z`].+\.$/);
    },
  );

  test("is known as one, and a name that every object has is not", () => {
    expect(rows.every(([code]) => isErrorCode(code))).toBe(true);
    expect(["", "Fenced", "toString", "__proto__"].filter(isErrorCode)).toEqual([]);
  });

  test("the exit codes are as documented, and 0 is for nothing that failed", () => {
    expect(exitCodes).toEqual({ done: 0, failed: 1, usage: 2, refused: 3, operator: 4, unavailable: 5 });
    expect(rows.map(([code]) => exitCodeOf(code))).not.toContain(0);
  });
});

describe("an error", () => {
  test("says what the code says, until something more exact is known", () => {
    const plain = new RekeyError("fenced");
    expect(plain).toMatchObject({ ...pick("fenced"), code: "fenced", detail: "", name: "RekeyError" });
    const exact = new RekeyError("fenced", "Slot a has another tag.", "Look at slot a.");
    expect(exact).toMatchObject({ message: "Slot a has another tag.", detail: "Slot a has another tag." });
    expect(exact.hint).toBe("Look at slot a.");
    expect(exact).toBeInstanceOf(Error);
  });

  test("is the same content as an object, and nothing more", () => {
    expect(JSON.parse(JSON.stringify(new RekeyError("conflict", "Twice.")))).toEqual({
      code: "conflict",
      error: "Twice.",
      hint: errorEntry("conflict").hint,
      retry: "safe",
    });
  });

  function pick(code: ErrorCode) {
    const { summary, hint, retry } = errorEntry(code);
    return { message: summary, hint, retry };
  }
});
