/**
 * Compares what a source says of a folder with a table of what is there, which a person wrote by hand. Rows are edges: who, how,
 * to what. What stands in what (`stored-in`) is the map's own and no row.
 */
import { parse } from "csv-parse/sync";
import type { Copy, ScanPart, Thing } from "../domain/discovery/said.js";

/** One edge, in the words of the tables; docs/real-inputs.md says what they mean. */
export interface Row {
  readonly reader: string;
  readonly edge: string;
  readonly target: string;
}

/** A row of a table, with why it is one. */
export interface TruthRow extends Row {
  readonly how: string;
  readonly reason: string;
}

/** What was found of a table: `hits` are rows of it, `missed` those that no source says, `extra` what a source says besides. */
export interface Compared {
  readonly hits: number;
  readonly missed: readonly TruthRow[];
  readonly extra: readonly (Row & { readonly sentence: string })[];
}

/** The table's rows. Throws for a text that is no CSV with these columns. */
export function truthIn(csv: string): TruthRow[] {
  const rows: Record<string, string>[] = parse(csv, { columns: true, bom: true });
  return rows.map((row, index) => {
    const { reader, edge, target, how, reason } = row;
    if (reader === undefined || !edge || !target || how === undefined || !reason)
      throw new Error(`row ${index + 1} of the table is not whole`);
    return { reader, edge, target, how, reason };
  });
}

/** Edges of the types that the table speaks of, one each, with the first sentence that says it. */
export function rowsOf(
  parts: readonly Pick<ScanPart, "claims" | "copies">[],
  edges: ReadonlySet<string>,
): Map<string, Row & { readonly sentence: string }> {
  const rows = new Map<string, Row & { readonly sentence: string }>();
  const add = (row: Row, sentence: string) => {
    if (edges.has(row.edge) && !rows.has(keyOf(row))) rows.set(keyOf(row), { ...row, sentence });
  };
  for (const { claims, copies } of parts) {
    for (const { from, type, to, sentence } of claims)
      add({ reader: textOf(from), edge: type, target: textOf(to) }, sentence);
    for (const { at, sentence } of copies)
      add({ reader: "", edge: "literal", target: placeOf(at) }, sentence);
  }
  return rows;
}

/** What of the table is said, what is not, and what is said besides. */
export function compared(
  truth: readonly TruthRow[],
  said: ReadonlyMap<string, Row & { readonly sentence: string }>,
): Compared {
  const known = new Map(truth.map((row) => [keyOf(row), row]));
  return {
    hits: [...known.keys()].filter((key) => said.has(key)).length,
    missed: [...known].filter(([key]) => !said.has(key)).map(([, row]) => row),
    extra: [...said].filter(([key]) => !known.has(key)).map(([, row]) => row),
  };
}

/** Of the rows that are true, the part that is said; of those that are said, the part that is true. 1 where there are none. */
export function figuresOf({ hits, missed, extra }: Compared): { recall: number; precision: number } {
  const part = (of: number) => (of === 0 ? 1 : hits / of);
  return { recall: part(hits + missed.length), precision: part(hits + extra.length) };
}

const keyOf = ({ reader, edge, target }: Row): string => JSON.stringify([reader, edge, target]);

/** A thing as the tables call it: without the names of cluster and folder, which are those of whoever reads. */
function textOf(thing: Thing): string {
  if (thing.is === "location") return placeOf(thing);
  if (thing.is !== "reader") return JSON.stringify(thing);
  const { workload, serviceAccount, role } = thing.traits;
  if (workload !== undefined) return workload.replace(/^(?:kubernetes \S+|compose) /, "");
  if (serviceAccount !== undefined) return `ServiceAccount ${serviceAccount.replace(/^kubernetes \S+ /, "")}`;
  return role === undefined ? thing.name : role.replace(/^kubernetes \S+ /, "");
}

function placeOf(at: Copy["at"]): string {
  if (at.is !== "location") return `${at.store} ${Object.values(at.place).join(" ")}`;
  const config = /^([^/]+)\/ConfigMap\/(.*)$/.exec(at.path);
  const [, store] = /^kubernetes \S+(?: (.*))?$/.exec(at.scope) ?? [];
  if (store !== undefined) return `${store} ${at.path}`;
  if (at.scope.startsWith("kubernetes ")) {
    return config === null ? at.path : `ConfigMap ${config[1]}/${config[2]}`;
  }
  return at.scope.startsWith("repository ") ? at.path : `${at.scope.replace(/^compose /, "")} ${at.path}`;
}
