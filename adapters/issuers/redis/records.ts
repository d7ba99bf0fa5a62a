/**
 * Where the fence tags stand: among the password hashes of the user itself. ACL SETUSER is all or nothing, and to
 * remove a hash that is not there is an error; so the one command that changes the passwords also compares and
 * replaces the tag, on every kind of node, and the ACL file keeps both together (H3, H16).
 *
 * A record is cut into pieces of 32 bytes. Each looks like a SHA-256 hash, and nobody knows a password for it.
 */
import { RekeyError } from "../../../domain/errors.js";

/** What stands in one slot of a user. */
export interface SlotRecord {
  /** Grows with every change, so that a node that lags behind is known by it. */
  readonly number: number;
  /** Text of the fence tag, `""` for a slot that was never used. */
  readonly tag: string;
  /** SHA-256 of the slot's value in hexadecimal, or `null` while it holds none. */
  readonly hash: string | null;
}

/** All that the password hashes of a user say. */
export interface UserRecords {
  /** Planted once by an administrator; it is the server's identity (H9). `null` where nobody did. */
  readonly marker: string | null;
  readonly slots: ReadonlyMap<number, SlotRecord>;
  /** The other hashes: those of real passwords. */
  readonly values: readonly string[];
}

/** Where a piece's content begins, after `rkf1`, the slot, the piece's number and how many there are. */
const head = { magic: "rkf1", slot: 4, index: 5, total: 6, bytes: 7 };
const pieceBytes = 32;
const bodyBytes = pieceBytes - head.bytes;
/** No slot: the piece is the marker. */
const markerSlot = 0;

/** The pieces of a slot's record, as hashes in hexadecimal. */
export function piecesOf(slot: number, { number, tag, hash }: SlotRecord): string[] {
  return cut(slot, Buffer.from(`${number} ${hash?.slice(0, 16) ?? "-"} ${tag}`));
}

/** The piece that is planted as the marker. `text` has at most 24 characters of ASCII. */
export function markerPiece(text: string): string {
  const [piece = "", ...more] = cut(markerSlot, Buffer.from(text));
  if (more.length > 0) throw new RekeyError("bad-input", "A marker has at most 24 characters.");
  return piece;
}

/** Reads the hashes of a user. Throws `unsupported` where a record is incomplete or stands there twice. */
export function recordsIn(hashes: readonly string[]): UserRecords {
  const pieces = new Map<number, Buffer[]>();
  const values: string[] = [];
  for (const hash of hashes) {
    const piece = Buffer.from(hash, "hex");
    if (piece.toString("latin1", 0, head.magic.length) !== head.magic) values.push(hash);
    else pieces.set(piece[head.slot] ?? 0, [...(pieces.get(piece[head.slot] ?? 0) ?? []), piece]);
  }
  const slots = new Map<number, SlotRecord>();
  let marker: string | null = null;
  for (const [slot, found] of pieces) {
    const text = joined(found);
    if (slot === markerSlot) marker = text;
    else slots.set(slot, recordOf(text, values));
  }
  return { marker, slots, values };
}

function cut(slot: number, text: Buffer): string[] {
  const total = Math.max(1, Math.ceil(text.length / bodyBytes));
  return Array.from({ length: total }, (_, index) => {
    const piece = Buffer.alloc(pieceBytes);
    piece.write(head.magic, "latin1");
    piece.set([slot, index, total], head.slot);
    text.copy(piece, head.bytes, index * bodyBytes, (index + 1) * bodyBytes);
    return piece.toString("hex");
  });
}

function joined(pieces: readonly Buffer[]): string {
  const ordered = [...pieces].sort((a, b) => (a[head.index] ?? 0) - (b[head.index] ?? 0));
  const whole = ordered.every(
    (piece, index) => piece[head.index] === index && piece[head.total] === ordered.length,
  );
  if (!whole) throw damaged();
  return Buffer.concat(ordered.map((piece) => piece.subarray(head.bytes)))
    .toString("utf8")
    .replace(/\0+$/, "");
}

function recordOf(text: string, values: readonly string[]): SlotRecord {
  const [, number, start, tag = ""] = /^(\d+) (-|[0-9a-f]{16}) (.*)$/s.exec(text) ?? [];
  if (number === undefined || start === undefined) throw damaged();
  // A hash that somebody else removed is not there any more, whatever the record says.
  return { number: Number(number), tag, hash: values.find((value) => value.startsWith(start)) ?? null };
}

function damaged(): RekeyError {
  return new RekeyError("unsupported", "The records of Rekey among the user's passwords are damaged.");
}
