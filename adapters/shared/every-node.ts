/** Several nodes, one of which may be away: what can be done at the others is done, and then it is said which was not. */

/**
 * Does the work at every node at once, and waits for each of them also where another one fails: a session that a leak
 * opened at one node is ended although a second node is away. Throws the first failure.
 */
export async function doAtEveryNode<N>(nodes: readonly N[], work: (node: N) => Promise<void>): Promise<void> {
  const done = await Promise.allSettled(nodes.map(work));
  const failed = done.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
