/** The forms in which a value could lie somewhere: as it is, encoded, and in halves (I6). */

/** Shorter pieces would be found by chance. */
const pieceMin = 12;

/** Every form of a value that is looked for. */
export function formsOf(value: string): string[] {
  const half = Math.floor(value.length / 2);
  const bytes = Buffer.from(value);
  // Base64 of a text inside a longer one is found only by the part that does not depend on where it stands.
  const shifted = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift, "x"), bytes]).toString("base64");
    return encoded.slice(shift === 0 ? 0 : 4, encoded.length - 4);
  });
  const forms = [
    value,
    value.slice(0, half),
    value.slice(half),
    bytes.toString("hex"),
    encodeURIComponent(value),
  ];
  return [...forms, ...shifted].filter((form) => form.length >= pieceMin);
}
