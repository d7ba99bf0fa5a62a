/**
 * The two hashes of RFC 6962 (section 2.1). A leaf and a node begin with different bytes, so that no text of an
 * entry can be passed off as an inner part of the tree.
 */
import { hash } from "node:crypto";

/** Length of every hash here. */
export const hashBytes = 32;

const leafPrefix = 0x00;
const nodePrefix = 0x01;

/** Hash of an entry's text. */
export function leafHash(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(1 + Buffer.byteLength(text));
  bytes[0] = leafPrefix;
  bytes.write(text, 1);
  return hash("sha256", bytes, "buffer");
}

/** Hash of a node from those of its two children. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(1 + 2 * hashBytes);
  bytes[0] = nodePrefix;
  bytes.set(left, 1);
  bytes.set(right, 1 + hashBytes);
  return hash("sha256", bytes, "buffer");
}

/** Root of the tree without an entry: the hash of nothing. */
export function emptyRoot(): Buffer {
  return hash("sha256", Buffer.alloc(0), "buffer");
}
