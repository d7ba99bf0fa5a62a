/**
 * Checking proofs with nothing but hashes (RFC 9162, sections 2.1.3.2 and 2.1.4.2). It is written as the
 * standard has it, and not as the proofs are made in `tree.ts`, so that a mistake there does not agree with itself.
 */
import { emptyRoot, nodeHash } from "./hash.js";

/** True when `proof` shows that `leaf` is entry `index` of the tree of `size` entries with this root. */
export function includes(
  { index, size, root }: { readonly index: number; readonly size: number; readonly root: Uint8Array },
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!(Number.isSafeInteger(index) && index >= 0 && index < size)) return false;
  let [fn, sn] = [index, size - 1];
  let r: Buffer = Buffer.from(leaf);
  for (const part of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      r = nodeHash(part, r);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      r = nodeHash(r, part);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && r.equals(root);
}

/** A tree by its size and its root. */
export interface Head {
  readonly size: number;
  readonly root: Uint8Array;
}

/** True when `proof` shows that the tree `later` begins with every entry of `former`, in the same order. */
export function beginsWith(former: Head, later: Head, proof: readonly Uint8Array[]): boolean {
  const same = Buffer.from(former.root).equals(later.root);
  if (former.size > later.size) return false;
  if (former.size === later.size) return proof.length === 0 && same;
  if (former.size === 0) return proof.length === 0 && emptyRoot().equals(former.root);
  const isPower = Number.isInteger(Math.log2(former.size)) && 2 ** Math.log2(former.size) === former.size;
  const [first, ...rest] = isPower ? [former.root, ...proof] : proof;
  if (first === undefined) return false;
  let [fn, sn] = [former.size - 1, later.size - 1];
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)];
  let fr: Buffer = Buffer.from(first);
  let sr = fr;
  for (const part of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      fr = nodeHash(part, fr);
      sr = nodeHash(part, sr);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      sr = nodeHash(sr, part);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && fr.equals(former.root) && sr.equals(later.root);
}

/** Shifted right by one; numbers here are larger than what the language's own shift takes. */
function half(n: number): number {
  return Math.floor(n / 2);
}
