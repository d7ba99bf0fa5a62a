/** What the map says of a credential before it is rotated: who else was seen on it or could read it, and how fresh that is. */
import { formatDuration } from "../domain/duration.js";
import { strongest, weakest } from "../domain/graph/known.js";
import { Adjacency } from "../domain/graph/reach.js";
import { type User, usersOf } from "../domain/graph/use.js";
import type { MappedReader, SourceAge } from "../domain/mapped.js";
import { listEntries } from "../inventory/estate.js";
import { loadUsers } from "../inventory/graph-load.js";
import { lastScans } from "../inventory/scans.js";
import type { ActivityDeps, Systems } from "./deps.js";

/** Facts for the checks. */
export interface MappedFacts {
  readonly readers: readonly MappedReader[];
  readonly sources: readonly SourceAge[];
}

/** Reads them. A source counts where it reads the credential's issuer or store, or has shown this credential before. */
export async function mappedFacts(
  { db, now }: Pick<ActivityDeps, "db" | "now">,
  { id, name, estate, consumers }: Pick<Systems, "id" | "name" | "estate" | "consumers">,
): Promise<MappedFacts> {
  const [graph, scans, declared] = await Promise.all([
    loadUsers(db, id),
    lastScans(db),
    listEntries(db, "sources"),
  ]);
  const at = now();
  const names = new Map(declared.map((entry) => [entry.id, entry.name]));
  const users = usersOf(new Adjacency(graph), id);
  const expected = new Set(consumers.map((consumer) => consumer.id));
  // A consumer of the estate that uses it, and is not declared to, is as unexpected as somebody whom nobody knows.
  const unexpected = users.filter(
    ({ node }) => node.type === "identity" || (node.type === "consumer" && !expected.has(node.id)),
  );
  const readers = surest(unexpected).map(({ node, edge, known }): MappedReader => {
    const best = strongest(edge.evidence);
    const source = best === undefined ? "" : (names.get(best.source) ?? best.source);
    const seen =
      best === undefined ? "" : ` Last seen ${formatDuration(roughly(at - best.lastSeen))} ago by ${source}.`;
    return { name: node.name, known, sentence: `${best?.sentence ?? "It is on the map."}${seen}` };
  });
  const shown = new Set(users.flatMap(({ edge }) => edge.evidence.map(({ source }) => source)));
  const ends = new Map(scans.flatMap(({ last, whole }) => (whole ? [[last.source, whole.endedAt]] : [])));
  const credential = estate.credentials[name];
  const sources = declared
    .filter(({ id: source, body }) => {
      const isOfIts = body.store === credential?.store || body.issuer === credential?.issuer;
      return shown.has(source) || ((body.store !== undefined || body.issuer !== undefined) && isOfIts);
    })
    .map(({ id: source, name: called }): SourceAge => {
      const endedAt = ends.get(source);
      return { name: called, ageMs: endedAt === undefined ? null : at - endedAt };
    });
  return { readers, sources };
}

/** Each reader once, by the edge that is known best: who is seen at a copy may also have the right to read all of them. */
function surest(users: readonly User[]): User[] {
  const best = new Map<string, User>();
  for (const user of users) {
    const before = best.get(user.node.id);
    const isSurer = before === undefined || weakest([before.edge, user.edge]) === before.known;
    if (isSurer) best.set(user.node.id, user);
  }
  return [...best.values()];
}

/** Ages are told in whole seconds, minutes from an hour on. */
function roughly(ms: number): number {
  const unit = ms < 3_600_000 ? 1_000 : 60_000;
  return Math.max(unit, Math.floor(ms / unit) * unit);
}
