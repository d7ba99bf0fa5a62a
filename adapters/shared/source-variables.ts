/** Variables that a text takes in, as shells, compose and pipelines write them. */

/** Names in `$NAME`, `${NAME}` and `${NAME:-default}`; `$$` is a dollar sign. */
export function interpolated(text: string): string[] {
  return [...text.matchAll(/\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)|([A-Za-z_][A-Za-z0-9_]*))/g)].flatMap(
    ([, braced, bare]) => braced ?? bare ?? [],
  );
}

/** Texts that stand in for a variable that is not set: `${NAME:-text}`. */
export function defaultsIn(text: string): string[] {
  return [...text.matchAll(/\$\{[A-Za-z_][A-Za-z0-9_]*:?-([^{}]*)\}/g)].map(([, standIn = ""]) => standIn);
}
