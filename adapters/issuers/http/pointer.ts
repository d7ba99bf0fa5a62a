/**
 * JSON pointers (RFC 6901): how a description says where something stands in an answer, without any code in it.
 * Twenty lines of our own, because nothing in the tree has them and every package for them does much more.
 */

/** True for text that is a pointer: empty for the whole document, or parts that each begin with a slash. */
export function isPointer(text: string): boolean {
  return /^(?:\/(?:[^~/]|~[01])*)*$/.test(text);
}

/** What stands at the pointer; `undefined` where nothing does. Own members only, and no `-` of an array. */
export function at(document: unknown, pointer: string): unknown {
  const parts = pointer.split("/").slice(1);
  return parts
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce<unknown>((value, part) => {
      if (typeof value !== "object" || value === null) return undefined;
      if (Array.isArray(value)) return /^(?:0|[1-9]\d*)$/.test(part) ? value[Number(part)] : undefined;
      return Object.hasOwn(value, part) ? (value as Record<string, unknown>)[part] : undefined;
    }, document);
}
