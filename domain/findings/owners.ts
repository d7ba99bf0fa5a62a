/** That nobody answers for something: the same words before a rotation and in the records. */

/** Sentence about a credential without an owner; none where it has one. */
export function unownedCredential(owner: string | null): string[] {
  return owner === null ? ["The credential has no owner who could answer for it."] : [];
}

/** Sentence about a consumer without an owner; none where it has one. */
export function unownedConsumer({
  name,
  owner,
}: {
  readonly name: string;
  readonly owner: string | null;
}): string[] {
  return owner === null ? [`Consumer ${name} has no owner.`] : [];
}
