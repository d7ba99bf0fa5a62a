/** The tree as RFC 6962 defines it, word for word and without any cleverness: what the fast one is compared with. */
import { createHash } from "node:crypto";

function sha256(...parts: Uint8Array[]): Buffer {
  return createHash("sha256").update(Buffer.concat(parts)).digest();
}

/** MTH(D[n]). */
export function naiveRoot(texts: readonly string[]): Buffer {
  if (texts.length === 0) return sha256();
  if (texts.length === 1) return sha256(Buffer.of(0), Buffer.from(texts[0] ?? ""));
  const k = splitOf(texts.length);
  return sha256(Buffer.of(1), naiveRoot(texts.slice(0, k)), naiveRoot(texts.slice(k)));
}

/** PATH(m, D[n]). */
export function naivePath(m: number, texts: readonly string[]): Buffer[] {
  if (texts.length === 1) return [];
  const k = splitOf(texts.length);
  return m < k
    ? [...naivePath(m, texts.slice(0, k)), naiveRoot(texts.slice(k))]
    : [...naivePath(m - k, texts.slice(k)), naiveRoot(texts.slice(0, k))];
}

/** PROOF(m, D[n]). */
export function naiveProof(m: number, texts: readonly string[]): Buffer[] {
  return m === 0 ? [] : subproof(m, texts, true);
}

function subproof(m: number, texts: readonly string[], whole: boolean): Buffer[] {
  if (m === texts.length) return whole ? [] : [naiveRoot(texts)];
  const k = splitOf(texts.length);
  return m <= k
    ? [...subproof(m, texts.slice(0, k), whole), naiveRoot(texts.slice(k))]
    : [...subproof(m - k, texts.slice(k), false), naiveRoot(texts.slice(0, k))];
}

function splitOf(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}
