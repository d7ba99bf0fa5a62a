/** What a program of the user's own may say, line by line, held to a strict schema: a field that nobody knows is refused, and so is a value. */
import { isIP } from "node:net";
import { z } from "zod";
import { credentialClasses } from "../../domain/estate/classes.js";
import { findLiteral, knownShape } from "../../domain/estate/literals.js";
import { edgeTypes, evidenceKinds } from "../../domain/graph/types.js";
import type { Said } from "../shared/source-part.js";

const text = (lengthMax: number) =>
  z
    .string()
    .min(1)
    .max(lengthMax)
    .refine((found) => findLiteral(found) === undefined, { error: "seems to hold a value" });
const time = z.int().min(0);
const credentialClass = z.enum(credentialClasses);
const times = { createdAt: time.optional(), expiresAt: time.optional() };

const reader = z.strictObject({
  is: z.literal("reader"),
  name: text(256),
  traits: z.strictObject({
    entity: text(256).optional(),
    role: text(256).optional(),
    serviceAccount: text(256).optional(),
    applicationName: text(256).optional(),
    address: z
      .string()
      .refine((found) => isIP(found) !== 0, { error: "expected an IP address" })
      .optional(),
    host: text(253).toLowerCase().optional(),
    workload: text(256).optional(),
  }),
  class: credentialClass.optional(),
});
const place = z.strictObject({
  is: z.literal("place"),
  store: text(63),
  place: z.record(z.string().max(63), text(512)),
});
const account = z.strictObject({
  is: z.literal("account"),
  issuer: text(63),
  account: text(256),
  class: credentialClass.optional(),
  ...times,
});
const location = z.strictObject({
  is: z.literal("location"),
  scope: text(256),
  path: text(1_024),
  class: credentialClass.optional(),
  expiresAt: time.optional(),
});
const credential = z.strictObject({
  is: z.literal("credential"),
  scope: text(256),
  name: text(256),
  class: credentialClass,
  ...times,
});
const named = z.strictObject({
  is: z.literal("named"),
  type: z.enum(["credential", "consumer", "owner", "store", "issuer"]),
  name: text(63),
  class: credentialClass.optional(),
});
const thing = z.discriminatedUnion("is", [reader, place, account, location, credential, named]);

const used = z.discriminatedUnion("is", [place, account, location, credential, named]);

const seen = z
  .strictObject({ first: time, last: time, count: z.int().min(1).default(1) })
  .refine(({ first, last }) => first <= last, { error: "first is after last" });

/** Ids of versions are random by nature, so that only what has the shape of a secret is refused. */
const versionName = z
  .string()
  .min(1)
  .max(256)
  .refine((found) => knownShape(found) === undefined, { error: "seems to hold a value" });

const versions = z
  .array(
    z
      .strictObject({ version: versionName, first: time, last: time })
      .refine(({ first, last }) => first <= last, { error: "first is after last" }),
  )
  .min(1)
  .max(100)
  .refine((all) => new Set(all.map(({ version }) => version)).size === all.length, {
    error: "names a version twice",
  });

const record = text(512);
const sentence = text(1_024);

const claim = z.strictObject({
  record,
  known: z.enum(evidenceKinds),
  from: thing,
  type: z.enum(edgeTypes),
  to: thing,
  seen,
  versions: versions.optional(),
  sentence,
});

/** One line: exactly one of these. */
const line = z.union([
  z.strictObject({ claim }),
  z.strictObject({
    copy: z.strictObject({
      record,
      at: z.discriminatedUnion("is", [location, place]),
      /** The one field that may hold a value: it is marked at once and dropped. */
      value: z.string().min(8).max(65_536),
      literal: z.boolean(),
      verified: z.boolean().optional(),
      seen,
      sentence,
    }),
  }),
  z.strictObject({
    listed: z.strictObject({
      ...{ record, thing, seen },
      purpose: text(500).optional(),
      expiresAt: time.optional(),
    }),
  }),
  z.strictObject({ use: z.strictObject({ record, of: used, seen, sentence }) }),
  z.strictObject({ gap: sentence }),
  z.strictObject({ cursor: z.string().min(1).max(4_096), more: z.boolean().default(false) }),
]);

/** Where the next run begins, and whether there is one now. */
export interface Next {
  readonly cursor: string;
  readonly more: boolean;
}

/** A line as it is said, the cursor of the run, or why it is refused: the fields, and nothing that stood in them. */
export type LineRead = { readonly said: Said } | { readonly next: Next } | { readonly why: string };

/** Reads one line. `mark` turns a value into its keyed hash. */
export function lineRead(content: string, mark: (value: string) => string): LineRead {
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch {
    return { why: "it is not JSON" };
  }
  const { success, data, error } = line.safeParse(json);
  if (!success) return { why: whyNot(json, error) };
  if ("cursor" in data) return { next: data };
  if ("gap" in data) return { said: { gaps: [data.gap], records: 0 } };
  if ("listed" in data) return { said: { listed: [data.listed] } as Said };
  if ("use" in data) return { said: { uses: [data.use] } as Said };
  if ("claim" in data) {
    const why = wrongVersions(data.claim);
    return why === undefined ? { said: { claims: [data.claim] } as Said } : { why };
  }
  const { value, sentence: words, at, ...rest } = data.copy;
  // A program that quotes the value in its own words would let it out.
  const quoted = [words, rest.record, JSON.stringify(at)].some((part) => part.includes(value));
  if (quoted) return { why: "it is refused, at copy: the value stands beside `value` too" };
  return { said: { copies: [{ ...rest, at, sentence: words, mark: mark(value) }] } as Said };
}

/** Versions are of a read of a place, and each was read while the reader was seen. */
function wrongVersions({ known, type, to, seen, versions = [] }: z.output<typeof claim>): string | undefined {
  if (versions.length === 0) return undefined;
  if (known !== "read" || type !== "uses" || to.is !== "place")
    return "it is refused, at claim.versions: only what was `read` and `uses` a place has versions";
  const outside = versions.some(({ first, last }) => first < seen.first || last > seen.last);
  return outside ? "it is refused, at claim.versions: a version was read outside of `seen`" : undefined;
}

/** Names of ours alone: a name that the program made up may be anything. */
const known = new Set(
  "claim copy listed use of gap cursor more record known from to type at value literal verified seen first last count sentence versions version thing is name traits entity role serviceAccount applicationName address host workload store place issuer account class createdAt expiresAt purpose scope path".split(
    " ",
  ),
);

function whyNot(json: unknown, error: z.ZodError): string {
  const kind = ["claim", "copy", "listed", "use", "gap", "cursor"].find(
    (name) => typeof json === "object" && json !== null && Object.hasOwn(json, name),
  );
  if (kind === undefined) return "it has none of claim, copy, listed, use, gap and cursor";
  const places = new Set(
    pathsOf(error.issues).filter((path) => path === kind || path.startsWith(`${kind}.`)),
  );
  return `it is refused, at ${[...places].join(", ") || kind}`;
}

/** Every place that is wrong, also within the alternatives of a union. */
function pathsOf(issues: readonly z.core.$ZodIssue[], above: readonly PropertyKey[] = []): string[] {
  return issues.flatMap((issue) => {
    const path = [...above, ...issue.path];
    if (issue.code === "invalid_union") return issue.errors.flatMap((some) => pathsOf(some, path));
    return [path.map((part) => (known.has(String(part)) ? String(part) : "?")).join(".")];
  });
}
