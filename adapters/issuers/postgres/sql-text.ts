/**
 * Names and texts inside SQL that people run by hand. The engine's own statements use bind parameters; a DBA's
 * script cannot, so quoting is done in this one place.
 */
import { RekeyError } from "../../../domain/errors.js";
import { isRoleName } from "../../shared/pg-server.js";

/** A quoted identifier. Throws `bad-input` for a name that PostgreSQL would cut off or cannot hold. */
export function ident(name: string): string {
  if (!isRoleName(name)) {
    throw new RekeyError("bad-input", "A name in PostgreSQL has 1 to 63 bytes and no zero byte.");
  }
  return `"${name.replaceAll('"', '""')}"`;
}

/** A quoted text, the same whatever `standard_conforming_strings` says. */
export function literal(text: string): string {
  if (text.includes("\0")) throw new RekeyError("bad-input", "A text in PostgreSQL holds no zero byte.");
  const quoted = text.replaceAll("'", "''");
  return text.includes("\\") ? `E'${quoted.replaceAll("\\", "\\\\")}'` : `'${quoted}'`;
}

/** A `DO` block around PL/pgSQL, with a dollar quote that the body does not contain. */
export function doBlock(body: string, declare = ""): string {
  let tag = "rekey";
  while (body.includes(`$${tag}$`) || declare.includes(`$${tag}$`)) tag += "_";
  return `DO $${tag}$\n${declare === "" ? "" : `DECLARE\n${declare}\n`}BEGIN\n${body}\nEND\n$${tag}$;`;
}
