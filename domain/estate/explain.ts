/**
 * Turns the validator's reports into sentences for people: what was expected, what was found, and what was
 * probably meant. Schemas of this project begin their own messages with "expected"; others are reworded here.
 */
import type { z } from "zod";
import { type EstateIssue, type EstatePath, issue, listed } from "./issues.js";
import { findLiteral } from "./literals.js";
import { isSecretRefMessage } from "./secret-ref.js";
import { descriptionAt, fieldsAt, valueAt } from "./shape.js";
import { meantNames } from "./suggest.js";

/** The thing that was validated: where it stands in the estate, what it is held to, and what it is. */
export interface Subject {
  readonly path: EstatePath;
  readonly schema: z.core.$ZodType;
  readonly value: unknown;
}

const words: Readonly<Record<string, string>> = {
  string: "text",
  object: "a map",
  record: "a map",
  array: "a list",
  boolean: "true or false",
  number: "a number",
  int: "a whole number",
};

/** Fields whose value is not shown, whatever it looks like; nor is text in which such a word occurs. */
const privateField = /pass|pwd|secret|token|bearer|api[-_]?key|private|auth|dsn/i;

/** Every sentence that one report of the validator stands for: one for each unknown field, otherwise one. */
export function explain(report: z.core.$ZodIssue, subject: Subject): EstateIssue[] {
  if (report.code === "unrecognized_keys") {
    return report.keys.map((key) => unknownField(key, steps(report.path), subject));
  }
  const local = steps(report.path);
  const path = [...subject.path, ...local];
  const value = valueAt(subject.value, local);
  if (report.code === "invalid_key") {
    const expected = expectation(report.issues[0] ?? report);
    return [issue({ path, at: "key", code: "bad-name", message: "the name cannot be used", expected })];
  }
  if (report.code === "invalid_union" && report.errors.length > 0 && value !== undefined) {
    const meant = meantBranch(report.errors);
    if (meant !== undefined)
      return meant.flatMap((inner) => explain({ ...inner, path: [...local, ...steps(inner.path)] }, subject));
  }
  const expected = expectation(report);
  if (value === undefined) {
    const hint = descriptionAt(subject.schema, subject.value, local);
    const message = `"${String(path.at(-1))}" is missing`;
    return [issue({ path, code: "missing", message, expected, ...(hint === undefined ? {} : { hint }) })];
  }
  return [wrongValue(report, path, value, expected)];
}

function wrongValue(
  report: z.core.$ZodIssue,
  path: EstatePath,
  value: unknown,
  expected: string,
): EstateIssue {
  const secret = wantsReference(report);
  const found = secret ? foundWord(value) : describe(value, path);
  const meant = typeof value === "string" && !secret ? meantNames(value, allowedWords(report)) : undefined;
  const advice = value === null ? "write it, or remove the line" : undefined;
  const hint = meant === undefined ? advice && { hint: advice } : { hint: `did you mean ${meant}?` };
  return issue({ path, ...verdict(report, path, secret), expected, found, secret, ...hint });
}

/** Whether a reference to a secret could stand here, be it as one of several forms. */
function wantsReference(report: z.core.$ZodIssue): boolean {
  if (report.code !== "invalid_union") return isSecretRefMessage(report.message);
  return report.errors.some((branch) => branch.some(wantsReference));
}

function verdict(
  report: z.core.$ZodIssue,
  path: EstatePath,
  secret: boolean,
): { code: string; message: string } {
  const name = path.findLast((step) => typeof step === "string");
  const field = name === undefined ? "the estate" : `"${name}"`;
  if (secret)
    return {
      code: "not-a-reference",
      message: `${field} takes a reference to a secret and holds something else`,
    };
  if (report.code === "invalid_union" && report.discriminator !== undefined) {
    return { code: "unknown-kind", message: `there is no such ${report.discriminator} here` };
  }
  if (report.code === "invalid_type") return { code: "wrong-type", message: `${field} is of the wrong type` };
  return { code: "wrong-value", message: `${field} cannot have this value` };
}

/** The validator's paths may hold symbols; text from a file never does. */
function steps(path: readonly PropertyKey[]): (string | number)[] {
  return path.filter((step) => typeof step !== "symbol");
}

function unknownField(key: string, local: EstatePath, subject: Subject): EstateIssue {
  const known = fieldsAt(subject.schema, subject.value, local);
  const path = [...subject.path, ...local, key];
  const meant = meantNames(key, known);
  const hint = meant === undefined ? "remove it, or see `rekey schema`" : `did you mean ${meant}?`;
  const label = findLiteral(key) === undefined ? `"${key}"` : "this";
  return issue({
    path,
    at: "key",
    code: "unknown-field",
    message: `${label} is not a field here`,
    expected: listed(known),
    hint,
  });
}

type Branch = readonly z.core.$ZodIssue[];

/** The alternative of the right sort of value in which the least is wrong; `undefined` when none or several are that. */
function meantBranch(branches: readonly Branch[]): Branch | undefined {
  const close = branches.filter((branch) => !branch.some(isWrongSort));
  const [best, next] = close.toSorted((one, other) => one.length - other.length);
  return best !== undefined && best.length === next?.length ? undefined : best;
}

/** True for the report that a map was wanted where text stands, or the like. */
function isWrongSort({ code, path }: z.core.$ZodIssue): boolean {
  return code === "invalid_type" && path.length === 0;
}

/** An alternative in words: what it is, or the fields that it would need. */
function branchWords(branch: Branch): string {
  const whole = branch.find(({ path }) => path.length === 0);
  const missing = branch.filter(({ code, path }) => code === "invalid_type" && path.length === 1);
  if (missing.length > 0)
    return `a map with ${missing.map(({ path }) => `\`${String(path[0])}\``).join(" and ")}`;
  return whole === undefined ? "a map" : expectation(whole);
}

/** What would have been right, in words that follow "expected". */
function expectation(report: z.core.$ZodIssue): string {
  if (report.message.startsWith("expected ")) return report.message.slice("expected ".length);
  switch (report.code) {
    case "invalid_type":
      return words[report.expected] ?? report.expected;
    case "too_small":
      return bound("at least", Number(report.minimum), report.origin);
    case "too_big":
      return bound("at most", Number(report.maximum), report.origin);
    case "invalid_union":
      if (report.errors.length > 0) return listed([...new Set(report.errors.map(branchWords))]);
      return listed(allowedWords(report));
    default: {
      const allowed = allowedWords(report);
      return allowed.length > 0 ? listed(allowed) : report.message;
    }
  }
}

function bound(side: string, limit: number, origin: string): string {
  if (origin === "string") return `${side} ${limit} character${limit === 1 ? "" : "s"}`;
  if (origin === "array") return `${side} ${limit} entr${limit === 1 ? "y" : "ies"}`;
  return `${side} ${limit}`;
}

/** The words of an enumeration or the kinds of a section; empty where anything else is expected. */
function allowedWords(report: z.core.$ZodIssue): string[] {
  if (report.code === "invalid_value") return report.values.map(String);
  return report.code === "invalid_union" && "options" in report ? (report.options ?? []).map(String) : [];
}

/** What was found, shown only where it is short and cannot be a secret. */
function describe(value: unknown, path: EstatePath): string {
  const field = path.findLast((step) => typeof step === "string") ?? "";
  if (privateField.test(String(field))) return foundWord(value);
  if (typeof value !== "string") return typeof value === "number" ? String(value) : foundWord(value);
  const shown =
    value.length <= 60 &&
    !/[\r\n]/.test(value) &&
    !privateField.test(value) &&
    findLiteral(value) === undefined;
  return shown ? JSON.stringify(value) : "text";
}

function foundWord(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "boolean") return String(value);
  return typeof value === "number" ? "a number" : typeof value === "string" ? "text" : "a map";
}
