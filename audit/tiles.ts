/**
 * The tree in rows of at most 256 hashes, as the C2SP tlog-tiles specification cuts it: tile n of level L has the
 * hashes of the complete subtrees of 256 ** L entries from number 256 * n on. Ten million entries make three
 * levels, so appending writes a few rows and a proof reads a few.
 */
import { emptyRoot, hashBytes, nodeHash } from "./hash.js";
import type { Range, Subtree } from "./tree.js";
import { subtreesOf } from "./tree.js";

/** Hashes in a full tile. */
export const tileWidth = 256;
const levelsInTile = 8;

/** A tile by its place; a key for maps. */
export type TileKey = `${number}/${number}`;

/** Hashes of some tiles, one after the other in each; a partial tile has fewer than 256. */
export type Tiles = ReadonlyMap<TileKey, Buffer>;

/** The key of tile `number` of `level`. */
export function tileKey(level: number, number: number): TileKey {
  return `${level}/${number}`;
}

/** The tile that a complete subtree's hash is computed from. */
function tileOf({ level, index }: Subtree): TileKey {
  const tileLevel = Math.floor(level / levelsInTile);
  const first = index * 2 ** (level - tileLevel * levelsInTile);
  return tileKey(tileLevel, Math.floor(first / tileWidth));
}

/** The tiles that the hashes of these ranges are computed from. */
export function tilesFor(ranges: readonly Range[]): TileKey[] {
  return [...new Set(ranges.flatMap((range) => subtreesOf(range).map(tileOf)))];
}

/** Thrown where a tile is not there or too short: the tree is not whole. */
export class TileMissing extends Error {
  constructor(readonly tile: TileKey) {
    super(`tile ${tile} is missing or too short`);
  }
}

/** The hash of a complete subtree. Throws `TileMissing`. */
function subtreeHash(tiles: Tiles, subtree: Subtree): Buffer {
  const key = tileOf(subtree);
  const inTile = subtree.level % levelsInTile;
  const width = 2 ** inTile;
  const first = (subtree.index * width) % tileWidth;
  const hashes = tiles.get(key);
  if (hashes === undefined || hashes.length < (first + width) * hashBytes) throw new TileMissing(key);
  return foldComplete(hashes.subarray(first * hashBytes, (first + width) * hashBytes));
}

/** The hash of a range as RFC 6962 has it. Throws `TileMissing`. */
export function rangeHash(tiles: Tiles, range: Range): Buffer {
  return joined(subtreesOf(range).map((subtree) => subtreeHash(tiles, subtree)));
}

/** One hash of those of complete subtrees, from the left; of none, the empty tree's. */
function joined(hashes: readonly Buffer[]): Buffer {
  const last = hashes.at(-1);
  if (last === undefined) return emptyRoot();
  return hashes.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last);
}

/** The root over a power of two of hashes. */
function foldComplete(hashes: Buffer): Buffer {
  let row = Array.from({ length: hashes.length / hashBytes }, (_, i) =>
    hashes.subarray(i * hashBytes, (i + 1) * hashBytes),
  );
  while (row.length > 1) {
    const next: Buffer[] = [];
    for (let i = 0; i + 1 < row.length; i += 2) {
      const [left, right] = [row[i], row[i + 1]];
      if (left && right) next.push(nodeHash(left, right));
    }
    row = next;
  }
  return row[0] ?? emptyRoot();
}

/** A tree that grows at its right edge, of which only the edge is in memory. */
export class Edge {
  readonly #open: Buffer[][] = [];
  #size: number;

  /** `tiles` are the partial tiles of a tree of `size` entries, as `edgeTiles` names them. Throws `TileMissing`. */
  constructor(size = 0, tiles: Tiles = new Map()) {
    this.#size = size;
    for (const { key, width } of partialTiles(size)) {
      const hashes = tiles.get(key);
      if (width > 0 && (hashes === undefined || hashes.length < width * hashBytes))
        throw new TileMissing(key);
      this.#open.push(
        Array.from({ length: width }, (_, i) =>
          (hashes as Buffer).subarray(i * hashBytes, (i + 1) * hashBytes),
        ),
      );
    }
  }

  /** How many entries the tree has. */
  get size(): number {
    return this.#size;
  }

  /** Adds a leaf's hash. `filled` gets every tile that is full with it, lowest level first. */
  append(leaf: Buffer, filled: (level: number, number: number, hashes: Buffer) => void): void {
    this.#size += 1;
    let hash = leaf;
    for (let level = 0; ; level++) {
      const open = this.#open[level] ?? [];
      this.#open[level] = open;
      open.push(hash);
      if (open.length < tileWidth) return;
      const full = Buffer.concat(open);
      open.length = 0;
      filled(level, this.#size / tileWidth ** (level + 1) - 1, full);
      hash = foldComplete(full);
    }
  }

  /** The partial tiles as they are now: what has to be kept so that the tree can be read and go on. */
  tiles(): { readonly level: number; readonly number: number; readonly hashes: Buffer }[] {
    return this.#open.flatMap((open, level) =>
      open.length === 0
        ? []
        : [{ level, number: Math.floor(this.#size / tileWidth ** (level + 1)), hashes: Buffer.concat(open) }],
    );
  }

  /** The root of the tree as it is now. */
  root(): Buffer {
    // Every level's open hashes lie to the right of all that the levels above it hold.
    const parts: Buffer[] = [];
    for (let level = this.#open.length - 1; level >= 0; level--) {
      const open = this.#open[level] ?? [];
      for (const { level: inTile, index } of subtreesOf({ start: 0, end: open.length })) {
        const width = 2 ** inTile;
        parts.push(foldComplete(Buffer.concat(open.slice(index * width, (index + 1) * width))));
      }
    }
    return joined(parts);
  }
}

/** The tiles that a tree of `size` entries has begun and not filled, as keys, for the constructor of `Edge`. */
export function edgeTiles(size: number): TileKey[] {
  return partialTiles(size).flatMap(({ key, width }) => (width === 0 ? [] : [key]));
}

function partialTiles(size: number): { readonly key: TileKey; readonly width: number }[] {
  const found: { key: TileKey; width: number }[] = [];
  for (let level = 0; tileWidth ** level <= size; level++) {
    const hashes = Math.floor(size / tileWidth ** level);
    found.push({ key: tileKey(level, Math.floor(hashes / tileWidth)), width: hashes % tileWidth });
  }
  return found;
}
