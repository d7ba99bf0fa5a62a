/**
 * From parsed text to an estate, or to everything that is wrong with it at once. What cannot be read is set
 * aside and the rest is still checked, so that correcting one line does not uncover the next error.
 */
import type { z } from "zod";
import { checkEstate } from "./check.js";
import { checkClassPolicies, withClassPolicies } from "./class-policies.js";
import { explain } from "./explain.js";
import type { EstateIssue, EstatePath } from "./issues.js";
import type { EstateKinds } from "./kinds.js";
import { checkReferences } from "./references.js";
import { estateSchema, sections } from "./schema.js";
import { entriesOf, type Fields, isMap, listAt, lookUp, valueAt } from "./shape.js";
import type { Credential, Estate } from "./types.js";

/** The estate, or every reason why there is none. */
export type ParsedEstate =
  | { readonly ok: true; readonly estate: Estate }
  | { readonly ok: false; readonly issues: readonly EstateIssue[] };

/**
 * Validates what was read from `estate.yaml`: every entry on its own, the fields of accounts and places by
 * their kinds, and what entries say of one another. Never throws and never quotes what may be a secret.
 */
export function parseEstate(raw: unknown, kinds: EstateKinds): ParsedEstate {
  const { estate: read, issues } = readEntries(raw, kinds, raw);
  // By the text: of a policy in which something is wrong it is known all the same which classes take it.
  const estate = { ...read, credentials: withClassPolicies(read.credentials, valueAt(raw, ["policies"])) };
  issues.push(...checkReferences(raw), ...checkClassPolicies(raw), ...checkEstate(estate, kinds));
  return issues.length === 0 ? { ok: true, estate } : { ok: false, issues };
}

/**
 * Reads every entry on its own, or what is sound of them; policies of classes are not told yet. `systems` has the issuers and stores by whose kinds accounts and
 * places are read: what was read itself, or an estate of which it is a part.
 */
export function readEntries(
  raw: unknown,
  kinds: EstateKinds,
  systems: unknown,
): { readonly estate: Estate; readonly issues: EstateIssue[] } {
  const schema = schemaFor(kinds);
  const whole = schema.safeParse(raw);
  const issues = (whole.error?.issues ?? []).flatMap((report) =>
    explain(report, { path: [], schema, value: raw }),
  );
  const shapes = parseShapes(raw, kinds, systems);
  issues.push(...shapes.issues);
  const readable = whole.success ? whole.data : schema.parse(withoutFaults(raw, whole.error.issues));
  const credentials = Object.entries(readable.credentials).flatMap(([name, credential]) => {
    const shape = shapes.sound.get(name);
    return shape === undefined ? [] : [[name, withShape(credential, shape)] as const];
  });
  return { estate: { ...readable, credentials: Object.fromEntries(credentials) }, issues };
}

/** Preparing a schema costs a thousand times what using it does, and the kinds do not change while a program runs. */
function memo<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const made = new WeakMap<K, V>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}

const schemaFor = memo((kinds: EstateKinds) => estateSchema(kinds));
const strictly = memo((schema: z.ZodObject) => schema.strict());

/** The same text without the entries that were complained about, and with stand-ins for the two scalars. */
function withoutFaults(raw: unknown, reports: readonly z.core.$ZodIssue[]): Record<string, unknown> {
  const left: Record<string, unknown> = { version: 1, installation: "unknown" };
  for (const section of sections) left[section] = Object.fromEntries(entriesOf(raw, section));
  for (const { path } of reports) {
    const [section, entry] = path;
    const entries = left[String(section)];
    if (entry !== undefined && isMap(entries)) delete entries[String(entry)];
  }
  return left;
}

/** The parts of a credential that only its issuer's and its store's kind can read. */
interface Shape {
  readonly account: Fields;
  readonly place: Fields;
  /** Places of pinned consumers by their index among the edges. */
  readonly edges: ReadonlyMap<number, Fields>;
  /** Places that it can read by their index in `canRead`. */
  readonly reads: ReadonlyMap<number, Fields>;
}

function withShape(credential: Credential, { account, place, edges, reads }: Shape): Credential {
  const consumers = credential.consumers.map((edge, i) =>
    edges.has(i) ? { ...edge, place: edges.get(i) } : edge,
  );
  const canRead = credential.canRead?.map((one, i) => (reads.has(i) ? { ...one, place: reads.get(i) } : one));
  return { ...credential, account, place, consumers, ...(canRead === undefined ? {} : { canRead }) };
}

/** What the kinds make of every account and place; credentials where that fails are not among the sound ones. */
function parseShapes(
  raw: unknown,
  kinds: EstateKinds,
  systems: unknown,
): { sound: Map<string, Shape>; issues: EstateIssue[] } {
  const sound = new Map<string, Shape>();
  const issues: EstateIssue[] = [];
  const read = (schema: z.ZodObject | undefined, path: EstatePath): Fields | undefined => {
    const value = valueAt(raw, path);
    if (schema === undefined || !isMap(value)) return undefined;
    const result = strictly(schema).safeParse(value);
    const reports = result.error?.issues ?? [];
    issues.push(...reports.flatMap((report) => explain(report, { path, schema, value })));
    return result.data;
  };
  for (const [name, credential] of entriesOf(raw, "credentials")) {
    const path = ["credentials", name];
    const issuer = String(valueAt(credential, ["issuer"]));
    const store = String(valueAt(credential, ["store"]));
    const issuerKind = lookUp(kinds.issuers, valueAt(systems, ["issuers", issuer, "kind"]));
    const storeKind = lookUp(kinds.stores, valueAt(systems, ["stores", store, "kind"]));
    const account = read(issuerKind?.account, [...path, "account"]);
    const place = read(storeKind?.place, [...path, "place"]);
    const [edges, reads] = [new Map<number, Fields>(), new Map<number, Fields>()];
    let whole = true;
    const readOwn = (field: string, i: number, kind: typeof storeKind, into: Map<number, Fields>): void => {
      const own = read(kind?.place, [...path, field, i, "place"]);
      if (own === undefined) whole = false;
      else into.set(i, own);
    };
    for (const [i, edge] of listAt(credential, ["consumers"]).entries())
      if (valueAt(edge, ["place"]) !== undefined) readOwn("consumers", i, storeKind, edges);
    for (const [i, readable] of listAt(credential, ["canRead"]).entries()) {
      if (valueAt(readable, ["place"]) === undefined) continue;
      const of = String(valueAt(readable, ["store"]));
      const kind = lookUp(kinds.stores, valueAt(systems, ["stores", of, "kind"]));
      readOwn("canRead", i, kind, reads);
    }
    if (account !== undefined && place !== undefined && whole)
      sound.set(name, { account, place, edges, reads });
  }
  return { sound, issues };
}
