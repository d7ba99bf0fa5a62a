/**
 * Text with places to fill in: `{key}`, `{tag}`, `{nonce}`, `{value}`. There is nothing else in it, no condition and
 * no expression, so that whoever reads a description sees every request that can come of it.
 */

/** What a description may ask to be filled in. */
export const placeholders = ["key", "tag", "nonce", "value"] as const;

/** What is filled in, by name. */
export type Filling = Partial<Readonly<Record<(typeof placeholders)[number], string>>>;

const place = /\{([A-Za-z_]+)\}/g;

/** Names between braces in the text, known or not. */
export function namesIn(text: string): string[] {
  return [...text.matchAll(place)].map(([, name = ""]) => name);
}

/** Every text in a body, however deep. */
export function textsIn(body: unknown): string[] {
  if (typeof body === "string") return [body];
  if (typeof body !== "object" || body === null) return [];
  return Object.values(body).flatMap(textsIn);
}

/** The text with every place filled in; one that there is nothing for stays as it was written. */
export function filled(text: string, filling: Filling, encode = (value: string) => value): string {
  return text.replace(place, (whole, name: keyof Filling) => {
    const value = filling[name];
    return value === undefined ? whole : encode(value);
  });
}

/** A path with its places filled in: each stays one part of it, whatever is in the value. */
export function filledPath(path: string, filling: Filling): string {
  return filled(path, filling, (value) =>
    value === "." || value === ".." ? value.replaceAll(".", "%2E") : encodeURIComponent(value),
  );
}

/** A body with its places filled in. */
export function filledBody(body: unknown, filling: Filling): unknown {
  if (typeof body === "string") return filled(body, filling);
  if (typeof body !== "object" || body === null) return body;
  if (Array.isArray(body)) return body.map((entry) => filledBody(entry, filling));
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, filledBody(value, filling)]));
}
