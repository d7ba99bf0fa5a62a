/**
 * Copies of credentials for whoever asks the map: edges that follow from the values that sources met, and that no table of the
 * map has. They are looked up from what is asked about, as the other edges are, and not at all where nothing was ever met.
 */

import { copyEdges, type Meeting } from "../domain/graph/copies.js";
import { type Flow, typesAlong, type Way, wayOf } from "../domain/graph/flows.js";
import { copyTypes, type EdgeType, type GraphEdge } from "../domain/graph/types.js";
import { accepted } from "./copies.js";
import type { Tx } from "./database.js";
import { edgeKey } from "./graph-rows.js";
import { anyOf } from "./graph-walk.js";
import { type SQL, sql } from "./orm.js";
import { readsAt } from "./place-readers.js";
import { ms } from "./rows.js";

/** One step from a node over an edge to a copy, `forth` from the credential to the place. */
interface CopyStep {
  readonly before: string;
  readonly id: string;
  readonly type: EdgeType;
  readonly forth: boolean;
}

/** Where values lie now, by the node of their thing `t`. */
const lying = sql`select t.node, m.* from rekey_inventory.marks m join rekey_inventory.things t on t.id = m.thing
  where m.ended_at is null`;

/** Of more nodes than these it costs more to ask first which of them have a value than to plan the longer query. */
const fewNodes = 1_000;

/** That a value lies at a place: a join to whatever `m` says the node of. */
const atPlace = sql`join rekey_inventory.graph_nodes n on n.id = m.node and n.type = 'location'`;

/** For a `with`: how values were met where they are lying (`m`, at places), as `met`, by credential, place and source. */
function metAs(those: SQL): SQL {
  return sql`met as materialized (
    select m.credential, m.node as place, m.source, bool_or(m.literal) as literal, bool_and(m.past) as past,
      min(m.sentence) as sentence, count(*)::float8 as count,
      ${ms("min(m.first_seen)")} as "firstSeen", ${ms("max(m.last_seen)")} as "lastSeen"
    from (${those}) m group by m.credential, m.node, m.source)`;
}

/** The copies of an estate as one question sees them. */
export class Copies {
  /** Every edge to a copy that the question has come by, by its `edgeKey`. */
  readonly edges = new Map<string, GraphEdge>();
  /** The same by the node at which they begin or end; a node is here once its edges were asked for that way. */
  readonly #known: Readonly<Record<Way, Map<string, GraphEdge[]>>> = { forth: new Map(), back: new Map() };
  /** Things that are places, with their nodes, as far as it has come by them: they are not looked up once more. */
  readonly #places = new Map<string, string>();
  readonly #tx: Tx;
  readonly #now: number;

  private constructor(tx: Tx, now: number) {
    this.#tx = tx;
    this.#now = now;
  }

  /** Of values that may be accepted at `now`, in milliseconds since the epoch; null where no value lies anywhere. */
  static async open(tx: Tx, now: number): Promise<Copies | null> {
    // In an order, so that the first of an index is read; any of them would be looked for among all that have ended.
    const { rows } = await tx.execute(
      sql`select thing from rekey_inventory.marks where ended_at is null order by thing limit 1`,
    );
    return rows.length > 0 ? new Copies(tx, now) : null;
  }

  /** Where a flow goes from these nodes over edges to copies. */
  async steps(nodes: readonly string[], flow: Flow): Promise<CopyStep[]> {
    const steps: CopyStep[] = [];
    for (const way of ["forth", "back"] as const) {
      if (!copyTypes.some((type) => typesAlong(flow, way).includes(type))) continue;
      for (const { from, type, to } of await this.at(nodes, way)) {
        if (wayOf(flow, type) !== way) continue;
        const forth = way === "forth";
        steps.push({ before: forth ? from : to, id: forth ? to : from, type, forth });
      }
    }
    return steps;
  }

  /** Edges that begin (`forth`) or end (`back`) at these nodes. Each node is looked up once. */
  async at(nodes: readonly string[], way: Way): Promise<GraphEdge[]> {
    const known = this.#known[way];
    const asked = nodes.filter((node) => !known.has(node));
    for (const node of asked) known.set(node, []);
    for (const edge of await this.#lookUp(asked, way))
      known.get(way === "forth" ? edge.from : edge.to)?.push(edge);
    return nodes.flatMap((node) => known.get(node) ?? []);
  }

  async #lookUp(nodes: readonly string[], way: Way): Promise<GraphEdge[]> {
    if (nodes.length === 0) return [];
    const among = nodes.length > fewNodes ? nodes : await this.#fitting(nodes, way);
    if (among.length === 0) return [];
    const asked = sql`asked (id) as materialized (select unnest(${sql.param(among)}::text[]))`;
    const ids = anyOf(sql`asked`);
    if (way === "forth") {
      const only = { ofVersions: sql`v.credential = ${ids}`, ofLive: sql`l.credential = ${ids}` };
      return this.#keep(sql`${asked}, ${this.#met(only)}`);
    }
    // Each value is looked up on its own, from the places on: it may lie at thousands of others. As two lists that are compared,
    // thousands of each would be compared each with each.
    const whose = accepted(this.#now, { ofVersions: sql`f.hmac = m.mark`, ofLive: sql`l.hmac = m.mark` });
    return this.#keep(
      sql`${asked}, lying as materialized (${lying} and t.node = ${ids}),
        ${metAs(sql`select m.*, a.credential from lying m cross join lateral (${whose}) a ${atPlace}`)}`,
    );
  }

  /** Those at which such an edge may begin or end: of whom a value is known, or where one lies. Of most levels of a walk it is none. */
  async #fitting(nodes: readonly string[], way: Way): Promise<string[]> {
    const asked = sql`with asked (id) as materialized (select unnest(${sql.param(nodes)}::text[]))`;
    const { rows } = await this.#tx.execute<{ id: string }>(
      way === "forth"
        ? sql`${asked} select credential as id from rekey_inventory.versions where credential = ${anyOf(sql`asked`)}
            union select credential from rekey_inventory.live_values where credential = ${anyOf(sql`asked`)}`
        : sql`${asked} select distinct t.node as id from rekey_inventory.things t
            join rekey_inventory.marks m on m.thing = t.id and m.ended_at is null and m.mark <> ''
            where t.node = ${anyOf(sql`asked`)}`,
    );
    return rows.map(({ id }) => id);
  }

  /** All of them. */
  async all(): Promise<GraphEdge[]> {
    return this.#keep(this.#met());
  }

  /**
   * Ids of the other places at which values were met that also stand at one of these; by name. What cannot be told from other
   * values has no hash, and is like nothing.
   */
  async alike(places: readonly string[]): Promise<string[]> {
    const { rows } = await this.#tx.execute<{ id: string; thing: string }>(sql`
      with asked (id) as materialized (select unnest(${sql.param(places)}::text[])),
      lying as materialized (
        select distinct m.mark from rekey_inventory.things t join rekey_inventory.marks m on m.thing = t.id
        where t.node = ${anyOf(sql`asked`)} and m.ended_at is null and m.mark <> ''
      )
      select n.id, m.thing from lying l
      join rekey_inventory.marks m on m.mark = l.mark and m.ended_at is null
      join rekey_inventory.things t on t.id = m.thing
      join rekey_inventory.graph_nodes n on n.id = t.node and n.type = 'location'
      where n.id not in (select id from asked) order by n.name, n.id`);
    for (const { id, thing } of rows) this.#places.set(thing, id);
    return [...new Set(rows.map(({ id }) => id))];
  }

  /** Edges that it has come by, between nodes of these. */
  among(nodes: ReadonlySet<string> | ReadonlyMap<string, unknown>): GraphEdge[] {
    return [...this.edges.values()].filter(({ from, to }) => nodes.has(from) && nodes.has(to));
  }

  /** For a `with`: `metAs` of the values that may be accepted, from the credentials on. */
  #met(only: Parameters<typeof accepted>[1] = {}): SQL {
    const whose = sql`accepted as materialized (${accepted(this.#now, only)})`;
    if (this.#places.size === 0)
      return sql`${whose}, ${metAs(sql`select m.*, a.credential from accepted a join (${lying}) m on m.mark = a.hmac ${atPlace}`)}`;
    const [things, nodes] = [[...this.#places.keys()], [...this.#places.values()]];
    return sql`${whose}, known (thing, node) as materialized (
        select * from unnest(${sql.param(things)}::text[], ${sql.param(nodes)}::text[])
      ), theirs as materialized (
        select a.credential, m.* from accepted a join rekey_inventory.marks m on m.mark = a.hmac where m.ended_at is null
      ), ${metAs(sql`
        select m.*, k.node from theirs m join known k on k.thing = m.thing
        union all
        select m.*, n.id from theirs m join rekey_inventory.things t on t.id = m.thing
        join rekey_inventory.graph_nodes n on n.id = t.node and n.type = 'location'
        where (m.thing in (select thing from known)) is not true`)}`;
  }

  /**
   * The edges of what a query `met`; not where the credential is kept anyway (`keptOf`): there it is no copy. What a place stands
   * in is looked for only where a credential is kept in what has parts, or where it was met: most stand in a store, by themselves.
   * Each step is looked up on its own (`offset 0`), as for copies of `graph-load.ts`.
   */
  async #keep(met: SQL): Promise<GraphEdge[]> {
    const { rows } = await this.#tx.execute<Meeting & Record<string, unknown>>(sql`
      with recursive ${met}, own (credential, id) as materialized (
        select c.credential, e.to_id from (select distinct credential from met) c, lateral (
          select to_id from rekey_inventory.graph_edges
          where from_id = c.credential and type = 'stored-in' and ended_at is null offset 0) e
      ), whole (id) as materialized (
        select k.id from (select distinct id from own) k
        where (k.id in (select place from met)) is true or exists (
          select from rekey_inventory.graph_edges e join rekey_inventory.graph_nodes n on n.id = e.from_id
          where e.to_id = k.id and e.type in ('depends-on', 'stored-in') and e.ended_at is null and n.type = 'location')
      ), inside (credential, place, id) as (
        select credential, place, place from met
        -- Not as a join: of two lists that it takes for short the database compares each with each.
        where (credential in (select credential from own where (id in (select id from whole)) is true)) is true
        union
        select i.credential, i.place, whole.id from inside i, lateral (
          select e.to_id as id from rekey_inventory.graph_edges e
          join rekey_inventory.graph_nodes n on n.id = e.from_id and n.type = 'location'
          where e.from_id = i.id and e.type in ('depends-on', 'stored-in') and e.ended_at is null offset 0) whole
      ), kept as (
        select distinct i.credential, i.place from inside i, lateral (
          select from rekey_inventory.graph_edges e
          where e.from_id = i.credential and e.to_id = i.id and e.type = 'stored-in' and e.ended_at is null offset 0) own
      )
      select met.*, reader.one is not null as "isRead"
      from met left join lateral (
        select true as one from ${readsAt("met.place")} e where met.past limit 1) reader on true
      where (credential, place) not in (select credential, place from kept)
      order by credential, place, source`);
    const edges = copyEdges(rows);
    for (const edge of edges) this.edges.set(edgeKey(edge), edge);
    return edges;
  }
}
