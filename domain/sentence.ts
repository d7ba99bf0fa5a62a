/** Words of others as sentences of ours: what a source says may be a part of one, and stands between two that are whole. */

/**
 * The text with a full stop, and with a capital where it begins with an article. What may be a name (`orders-api`, `backup`)
 * stays as it is.
 */
export function asSentence(text: string): string {
  const begun = text.replace(/^(?:an?|the)(?=\s)/, (word) => word.charAt(0).toUpperCase() + word.slice(1));
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
