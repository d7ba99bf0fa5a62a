/** A number and what it counts, in words that agree: sentences of every part of the engine count things. */

/** `1 consumer`, `2 consumers`; `many` where an s is not all that changes. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
