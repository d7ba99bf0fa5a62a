/** Small maps with every type of edge between anything, and how they get into the database as a source would tell them. */
import fc from "fast-check";
import type { PlainEdge } from "../../domain/graph/declared.js";
import { edgeTypes } from "../../domain/graph/types.js";
import { type Database, transact } from "../../inventory/database.js";
import { keepSaid, type Statement } from "../../inventory/graph-keep.js";
import { nodeNamed } from "../domain/graph/maps.js";
import { t0 } from "./world.js";

/** Of every type some nodes; an id's first letter says which. */
const ids = ["c0", "c1", "c2", "c3", "s0", "s1", "s2", "i0", "l0", "l1", "l2", "y0", "y1", "o0", "o1"];

/** An edge without the sentence that says why. */
export type BareEdge = Omit<PlainEdge, "sentence">;

/** Edges between them; one may be there twice. */
export const anyEdges: fc.Arbitrary<BareEdge[]> = fc.array(
  fc.record({
    from: fc.constantFrom(...ids),
    type: fc.constantFrom(...edgeTypes),
    to: fc.constantFrom(...ids),
  }),
  { maxLength: 40 },
);

/** Keeps the edges as all that a source says; by default the estate does. What it has said before ends. */
export async function kept(
  db: Database,
  edges: readonly BareEdge[],
  by: Partial<Omit<Statement, "records">> = {},
): Promise<void> {
  const nodes = ids.map((id) => nodeNamed(id));
  const said = { nodes, edges: edges.map((edge) => ({ ...edge, sentence: "It was written." })) };
  const statement = { source: "estate", kind: "declared", at: t0, ...by } as const;
  await transact(db, (tx) => keepSaid(tx, { ...statement, records: [{ record: "r", said }] }));
}
