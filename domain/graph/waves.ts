/**
 * Which credentials of a set are rotated at the same time: a consumer is moved by one rotation at a time (H39), so those that share
 * one come after each other, and whoever starts them at once has the second wait for the first.
 */

/** Credentials that share no consumer; `after` says for each which of its consumers an earlier wave moves. Ids. */
export interface RotationWave {
  readonly credentials: readonly string[];
  readonly after: Readonly<Record<string, readonly string[]>>;
}

/**
 * The waves of one stratum, by the ids of each credential's consumers. Each credential is in the first wave that has none of its
 * consumers, those with the most of them first: few waves, and not always the fewest that there could be.
 */
export function wavesOfSet(
  stratum: readonly string[],
  consumersOf: (credential: string) => ReadonlySet<string>,
): readonly RotationWave[] {
  const waves: { readonly members: string[]; readonly moved: Set<string> }[] = [];
  const inOrder = [...stratum].sort(
    (one, other) => consumersOf(other).size - consumersOf(one).size || (one < other ? -1 : 1),
  );
  for (const credential of inOrder) {
    const consumers = consumersOf(credential);
    let wave = waves.find(({ moved }) => ![...consumers].some((one) => moved.has(one)));
    if (wave === undefined) {
      wave = { members: [], moved: new Set() };
      waves.push(wave);
    }
    wave.members.push(credential);
    for (const consumer of consumers) wave.moved.add(consumer);
  }
  return waves.map(({ members }, index) => {
    const before = waves.slice(0, index).flatMap(({ moved }) => [...moved]);
    const after = members.map((id) => {
      const shared = before.filter((consumer) => consumersOf(id).has(consumer));
      return [id, [...new Set(shared)].sort()] as const;
    });
    return { credentials: members.sort(), after: Object.fromEntries(after) };
  });
}
