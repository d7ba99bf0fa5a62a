/** Answers about the map and the findings: those of the command line, each list of bounded length with its whole count beside it. */
import type { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import { radiusOf } from "../cli/commands/blast.js";
import { consumersOf, toldOf } from "../cli/commands/consumers.js";
import { findingsAsked, findingTold } from "../cli/findings-asked.js";
import type { Inventory } from "../cli/inventory.js";
import { findingsQuery, thingQuery } from "./map-shapes.js";

/** Of one thing among many so many details; asked about alone it has more of them. */
const detailsMax = 20;
/** Of one thing that is asked about alone. */
const alone = 1_000;

/** Who uses a credential or reads at a place. Throws as `consumersOf` does, and `bad-input` for another query. */
export async function consumersAnswer(inventory: Inventory, name: string, query: URLSearchParams) {
  const { type, limit } = asked(thingQuery, query);
  const { values = [], ...told } = toldOf(await consumersOf(inventory, name, type));
  const { consumers, anonymous, copies } = told;
  return {
    ...told,
    ...("place" in told ? { values: values.slice(0, limit) } : {}),
    consumers: consumers.slice(0, limit).map(({ evidence, ...user }) => ({
      ...user,
      evidence: evidence.slice(0, detailsMax),
      evidenceTotal: evidence.length,
    })),
    anonymous: anonymous.slice(0, limit),
    copies: copies.slice(0, limit),
    counts: { consumers: consumers.length, anonymous: anonymous.length, copies: copies.length },
  };
}

/** What breaks with a thing and what is exposed. Throws as `radiusOf` does, and `bad-input` for another query. */
export async function blastAnswer(inventory: Inventory, name: string, query: URLSearchParams) {
  const { type, limit } = asked(thingQuery, query);
  const { counts, copies, owners, ...radius } = await radiusOf(inventory, name, { type, limit });
  const among = <Tally extends { readonly byOwner: Readonly<Record<string, number>> }>(tally: Tally) => ({
    ...tally,
    byOwner: Object.fromEntries(Object.entries(tally.byOwner).slice(0, limit)),
  });
  return {
    ...radius,
    owners: owners.slice(0, limit),
    copies: copies.slice(0, limit),
    counts: {
      ...{ starts: counts.starts, owners: owners.length, copies: copies.length },
      ...{ breaks: among(counts.breaks), exposed: among(counts.exposed) },
    },
  };
}

/** A part of the findings as they were kept last: nothing is looked at for a reader. Throws as `findingsAsked` does. */
export async function findingsAnswer(inventory: Inventory, query: URLSearchParams) {
  const { limit, offset, ...given } = asked(findingsQuery, query);
  const filter = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const { findings, total, at } = await findingsAsked(inventory, filter, { limit, offset });
  return {
    at,
    total,
    findings: findings.map((finding) => ({ ...finding, ...placesOf(finding, detailsMax) })),
  };
}

/** One finding by its number, with the latest of what became of it. Throws `not-found`. */
export async function findingAnswer(inventory: Inventory, number: string) {
  const { changes, ...finding } = await findingTold(inventory, number);
  return {
    ...finding,
    ...placesOf(finding, alone),
    changes: changes.slice(-alone),
    changesTotal: changes.length,
  };
}

function placesOf({ places }: { readonly places: readonly string[] }, most: number) {
  return { places: places.slice(0, most), placesTotal: places.length };
}

/** The query in its shape. What is wrong is said by our names for it; nothing that was sent is repeated. */
function asked<Shape extends z.ZodObject>(shape: Shape, query: URLSearchParams): z.output<Shape> {
  const known = Object.keys(shape.shape);
  const once = new Set(query.keys()).size === query.size;
  const read = shape.safeParse(Object.fromEntries(query));
  if (once && read.success) return read.data;
  const wrong = read.success ? [] : read.error.issues.flatMap(({ path: [name] }) => String(name ?? ""));
  const named = [...new Set(wrong.filter((name) => known.includes(name)))];
  const hint = `Each at most once: ${known.join(", ")}. /openapi.json says what each may be.`;
  const what =
    named.length === 0 ? "It has a parameter that there is not, or one twice" : `See ${named.join(", ")}`;
  throw new RekeyError("bad-input", `The query is not understood. ${what}.`, hint);
}
