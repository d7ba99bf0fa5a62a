/**
 * What a use means for a rotation of which nobody says whose it was: unless a consumer that was seen accounts for it, somebody
 * uses the credential whom nobody knows.
 */
import type { Finding } from "./finding.js";
import { type AnonymousUse, anonymousText, byTime } from "./graph/anonymous.js";
import { isCurrent, isSeen } from "./graph/current.js";
import type { Graph } from "./graph/types.js";
import type { User } from "./graph/use.js";
import type { Looking } from "./strangers.js";

/** One that no declared consumer accounts for. */
export interface UnexplainedUse {
  readonly source: { readonly id: string; readonly name: string };
  readonly sentence: string;
}

/**
 * Those that still count and that nobody explains, the last of each source. A declared consumer explains one that lies in a
 * time in which it counted as a user by what was seen of it, and not only written down: whoever was first seen later does not.
 */
export function unexplainedUses(
  { nodes }: Pick<Graph, "nodes">,
  users: readonly User[],
  uses: readonly AnonymousUse[],
  { expected, names, fading }: Looking,
): UnexplainedUse[] {
  const proved = users.filter(({ node, edge }) => edge.type === "uses" && expected.has(node.id));
  const explains = (at: number) =>
    proved.some(({ edge }) => {
      const cadenceMs = Math.max(...[edge.from, edge.to].map((id) => nodes.get(id)?.cadenceMs ?? 0));
      return edge.evidence.some(
        (one) => isSeen(one) && one.firstSeen <= at && isCurrent(one, { ...fading, now: at }, cadenceMs),
      );
    });
  const latest = new Map(uses.toSorted(byTime).map((use) => [use.source, use]));
  return [...latest.values()].flatMap((use) => {
    if (fading.now - use.last > fading.windowMs || explains(use.last)) return [];
    const name = names.get(use.source) ?? use.source;
    return [{ source: { id: use.source, name }, sentence: anonymousText(use, name) }];
  });
}

/** As findings: whoever it was fails when what they use is revoked. As grave as an unmapped reader. */
export function useFindings(uses: readonly UnexplainedUse[], unmapped: "refuse" | "warn"): Finding[] {
  return uses.map(
    ({ source, sentence }): Finding => ({
      ...{ code: "unexplained-use", severity: unmapped, subject: source.name },
      sentence: `Somebody uses it, and no declared consumer was seen using it at that time. ${sentence}`,
      hint: "Add a source that shows who uses it, or read those that there are: a consumer that was seen explains it.",
    }),
  );
}
