/**
 * Packages that only some kinds need, loaded when one of those is first used: every command knows every kind, and would spend
 * much of its start on clients of systems that it never speaks to.
 */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** The CommonJS package of that name, loaded at the first call. `Package` is what `typeof import` says of the name. */
export function lazily<Package>(name: string): () => Package {
  let loaded: Package | undefined;
  return () => {
    loaded ??= require(name) as Package;
    return loaded;
  };
}
