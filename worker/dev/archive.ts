/**
 * Takes one file out of a release archive without `tar` or `unzip`, which a slim container may lack. The
 * archive was checked against its pinned sum before, so this reads well-formed input only and refuses the rest.
 */

import { gunzipSync, inflateRawSync } from "node:zlib";
import { RekeyError } from "../../domain/errors.js";

/** No program that we use is larger than this once unpacked (Vault is about 500 MB). */
const unpackedMax = 1024 * 1024 * 1024;

/** The bytes of `member` in the archive. Throws `missing-setup` when it is not there or cannot be read. */
export function extract(archive: Buffer, format: "tar.gz" | "zip", member: string): Buffer {
  const found = format === "zip" ? fromZip(archive, member) : fromTar(gunzip(archive), member);
  if (found === undefined)
    throw new RekeyError("missing-setup", `the release archive holds no file named ${member}`);
  return found;
}

function gunzip(archive: Buffer): Buffer {
  try {
    return gunzipSync(archive, { maxOutputLength: unpackedMax });
  } catch {
    throw new RekeyError("missing-setup", "the release archive cannot be unpacked");
  }
}

/** POSIX tar: 512-byte headers, each followed by its file padded to 512 bytes. */
function fromTar(tar: Buffer, member: string): Buffer | undefined {
  for (let at = 0; at + 512 <= tar.length; ) {
    const name = text(tar, at, 100).replace(/^\.\//, "");
    const size = Number.parseInt(text(tar, at + 124, 12).trim(), 8);
    if (name === "" || Number.isNaN(size)) return undefined;
    const regular = tar[at + 156] === 0x30 || tar[at + 156] === 0;
    if (regular && name === member) return tar.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return undefined;
}

function text(buffer: Buffer, at: number, length: number): string {
  const end = buffer.indexOf(0, at);
  return buffer.toString("utf8", at, end === -1 ? at + length : Math.min(end, at + length));
}

/** ZIP: the directory at the end says where each file is; only "stored" and "deflated" are in use. */
function fromZip(zip: Buffer, member: string): Buffer | undefined {
  const end = zip.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  if (end === -1) return undefined;
  let at = zip.readUInt32LE(end + 16);
  for (let entries = zip.readUInt16LE(end + 10); entries > 0; entries--) {
    const nameLength = zip.readUInt16LE(at + 28);
    if (zip.toString("utf8", at + 46, at + 46 + nameLength) === member) return zipMember(zip, at);
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return undefined;
}

function zipMember(zip: Buffer, entry: number): Buffer {
  const local = zip.readUInt32LE(entry + 42);
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const packed = zip.subarray(start, start + zip.readUInt32LE(entry + 20));
  if (zip.readUInt16LE(entry + 10) === 0) return packed;
  try {
    return inflateRawSync(packed, { maxOutputLength: unpackedMax });
  } catch {
    throw new RekeyError("missing-setup", "the release archive cannot be unpacked");
  }
}
