/** What a reading has changed: who is new on the map, who is not seen any more, and which findings came and went. */
import { RekeyError } from "../../domain/errors.js";
import { changesBetween } from "../../domain/graph/changes.js";
import type { GraphNode } from "../../domain/graph/types.js";
import type { Cli } from "./cli.js";
import { count } from "./format/layout.js";
import type { Inventory } from "./inventory.js";

/** How many there are, and the names of the first in the order of the alphabet. */
interface Counted {
  readonly count: number;
  readonly first: readonly string[];
}

/** What was learnt after `since` and up to `until`, in milliseconds since the epoch. */
export interface ReadingNews {
  readonly since: number;
  readonly until: number;
  /** Whoever uses or could use something, and what else there is; what has ended of either; and what was known and is known in a new way. */
  readonly readers: Counted;
  readonly things: Counted;
  readonly ended: Counted;
  readonly edges: { readonly came: number; readonly learnt: number; readonly ended: number };
  readonly findings: Readonly<Record<"open" | "excepted" | "ended", number>>;
  /** Readers that a credential is found to have since then and that nobody declared. */
  readonly unmapped: Counted;
}

const namedMax = 5;

/** The news since a moment of the inventory's; null, with a remark, where they could not be read: the reading has its own. */
export async function newsSince(cli: Cli, inventory: Inventory, since: number): Promise<ReadingNews | null> {
  try {
    const until = Math.ceil(await inventory.time());
    const between = { from: since, until, by: "learnt" } as const;
    const [graph, { findings }] = await Promise.all([
      inventory.changed(between),
      inventory.findings({ ended: true, changedSince: since }),
    ]);
    const { came, learnt, ended } = changesBetween(graph, between);
    const isReader = ({ type }: GraphNode) => type === "identity" || type === "consumer";
    const nodes = came.nodes.map(({ thing }) => thing);
    const ofState = (state: string) => findings.filter((finding) => finding.state === state).length;
    const strangers = findings.filter(({ code, state }) => code === "unmapped-reader" && state === "open");
    return {
      ...{ since, until },
      readers: counted(nodes.filter(isReader).map(({ name }) => name)),
      things: counted(nodes.filter((node) => !isReader(node)).map(({ name }) => name)),
      ended: counted(ended.nodes.map(({ thing }) => thing.name)),
      edges: { came: came.edges.length, learnt: learnt.length, ended: ended.edges.length },
      findings: { open: ofState("open"), excepted: ofState("excepted"), ended: ofState("ended") },
      unmapped: counted(
        strangers.map(({ about, subject }) =>
          about === null ? subject.name : `${about.name} at ${subject.name}`,
        ),
      ),
    };
  } catch (failure) {
    if (!(failure instanceof RekeyError)) throw failure;
    cli.note(`What has changed could not be read: ${failure.message} \`rekey changes\` shows it.`);
    return null;
  }
}

function counted(names: readonly string[]): Counted {
  return { count: names.length, first: [...names].sort().slice(0, namedMax) };
}

/** The news in a few lines, each with the command that shows more. */
export function newsLines({
  since,
  readers,
  things,
  ended,
  edges,
  findings,
  unmapped,
}: ReadingNews): string[] {
  const known = [
    ...[said(edges.came, "edge new", "edges new"), said(edges.learnt, "known in a new way")],
    said(edges.ended, "ended"),
  ].filter((part) => part !== "");
  const map = [
    listed(readers, "new reader"),
    listed(things, "other new thing"),
    listed(ended, "no longer there", "no longer there"),
    known.length === 0 ? "" : `On the map: ${known.join(", ")}.`,
  ].filter((line) => line !== "");
  const states = [
    said(findings.open, "finding opened", "findings opened"),
    ...[said(findings.excepted, "excepted"), said(findings.ended, "ended")],
  ].filter((part) => part !== "");
  return [
    ...(map.length === 0
      ? ["Nothing has changed on the map."]
      : [...map, `See \`rekey changes --since ${new Date(since).toISOString()}\`.`]),
    ...(states.length === 0 ? [] : [`${states.join(", ")}: see \`rekey findings\`.`]),
    ...(unmapped.count === 0
      ? []
      : [`${listed(unmapped, "unmapped", "unmapped")} See \`rekey findings --code unmapped-reader\`.`]),
  ];
}

function said(number: number, one: string, many = one): string {
  return number === 0 ? "" : count(number, one, many);
}

function listed({ count: all, first }: Counted, one: string, many = `${one}s`): string {
  if (all === 0) return "";
  const more = all > first.length ? ` and ${all - first.length} more` : "";
  return `${count(all, one, many)}: ${first.join(", ")}${more}.`;
}
