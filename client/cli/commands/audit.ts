/** `rekey audit`: verifies the log, signs it, shows what it says of a rotation, and gives that to somebody else. */
import { readFile, writeFile } from "node:fs/promises";
import type { OutsideNote } from "../../../audit/anchor.js";
import { claimedOrigin } from "../../../audit/checkpoint.js";
import { openNote, parseVerifier, type Verifier, verifierText } from "../../../audit/note.js";
import { keyInPack, verifyPack } from "../../../audit/pack.js";
import type { Verified } from "../../../audit/verify.js";
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import { verifyWith } from "../audit-desk.js";
import { knownName } from "../choose.js";
import type { Cli } from "../cli.js";
import { command, option, yesOption } from "../command.js";
import { unwritable } from "../files.js";
import { entriesText, packText, verifiedText } from "../format/audit.js";
import { count } from "../format/layout.js";
import { moment } from "../format/time.js";
import { personFor } from "../person.js";

interface AuditOptions {
  readonly since?: string;
  readonly pack?: string;
  readonly key?: string;
  readonly database?: string;
  readonly out?: string;
  readonly before?: string;
  readonly as?: string;
  readonly yes?: boolean;
}

type Doing = (cli: Cli, options: AuditOptions, rotation: string | undefined) => Promise<number>;

/** What can be done with the log, by the command's first word. */
const doings: Readonly<Record<string, Doing>> = { verify, checkpoint, show, export: exportPack, key, forget };

/** One command with a word for what to do, as they all are about one thing. */
export const audit = command<AuditOptions>({
  usage: "audit <what> [rotation]",
  summary: "Verify the audit log, sign it, show or export a rotation",
  description:
    "verify reads the whole log and compares it with every checkpoint: its own, this machine's,\nthe inventory's, and the one that --since names. With --pack it verifies an evidence pack instead, without a database.\nWith --database and --key it needs neither settings nor a key that signs: a login that may read the log is enough.\n\ncheckpoint prints the signed state of the log; keep it somewhere else. show lists what the log says of a\nrotation, export writes it with its proofs, key prints the key that both are verified with. forget takes\nnames and reasons away from entries that are old enough, after it told the log who does so; the log stays whole.",
  arguments: {
    what: Object.keys(doings).join(", "),
    rotation: "id of a rotation, for show and export",
  },
  options: [
    option("--since <file>", "verify: a checkpoint that was kept elsewhere"),
    option("--pack <file>", "verify: an evidence pack"),
    option(
      "--database <ref>",
      "verify: the log by env:NAME or file:/path of its URL, without an installation",
    ),
    option("--key <key>", "verify --pack, --database: the log's key, as `rekey audit key` prints it"),
    option("--out <file>", "export: the file to write (default: standard output)"),
    option("--before <date>", "forget: entries older than this, as 2026-01-31"),
    option("--as <person>", "forget: who does it, by the name in the estate (default: REKEY_PERSON)"),
    yesOption(),
  ],
  examples: [
    ["rekey audit verify", "the whole log"],
    ["rekey audit checkpoint > checkpoint-may.txt", "keep what is signed, outside the database"],
    ["rekey audit verify --since checkpoint-may.txt", "nothing from before was changed, cut or replaced"],
    [
      "rekey audit verify --database env:AUDIT_URL --key 'rekey-audit/inst+1a2b3c4d+AXyz'",
      "what an auditor does, with a login that may only read",
    ],
    ["rekey audit show rot_5f1c", "what the log says of a rotation"],
    ["rekey audit export rot_5f1c --out evidence.json", "the same, for somebody who has no database"],
    [
      "rekey audit verify --pack evidence.json --key 'rekey-audit/inst+1a2b3c4d+AXyz'",
      "what they do with it",
    ],
    ["rekey audit forget --before 2025-01-01 --as alice", "names and reasons that need not be kept"],
  ],
  async run(cli, [what = "", rotation], options) {
    const known = knownName(what, Object.keys(doings), "audit command");
    const doing = doings[known];
    if (doing === undefined) throw new RekeyError("internal", `${known} is listed and cannot be done.`);
    return doing(cli, options, rotation);
  },
});

async function verify(cli: Cli, options: AuditOptions): Promise<number> {
  const { pack, key, since, database } = options;
  if (pack !== undefined) return verifyOffline(cli, pack, key);
  if (database === undefined && key !== undefined)
    throw new RekeyError(
      "bad-input",
      "--key does not go with the installation's own log, whose key the settings name.",
      "Add --database REF to verify as somebody who has only a login and the key's line.",
    );
  const outside = since === undefined ? [] : [await outsideNote(since)];
  if (database !== undefined) return verifyAsAuditor(cli, database, key, outside);
  const desk = await (await cli.services()).audit();
  const state = await desk.verify(outside);
  cli.show(state, () => verifiedText(state, cli.paint));
  return codeOf(cli, state, parseVerifier(desk.key()), outside);
}

/** With the public half of the key and a login that may read the log: neither settings nor a key that signs. */
async function verifyAsAuditor(
  cli: Cli,
  database: string,
  key: string | undefined,
  outside: readonly OutsideNote[],
): Promise<number> {
  if (key === undefined)
    throw new RekeyError(
      "bad-input",
      "It is not said which key has to have signed the log.",
      "Add --key with the line that `rekey audit key` prints there; let it reach you by another way than the database.",
    );
  const verifier = parseVerifier(key);
  const log = await cli.deps.auditorsLog(database);
  try {
    const verified = await verifyWith(log, verifier, outside);
    cli.show(verified, () => verifiedText(verified, cli.paint));
    return codeOf(cli, verified, verifier, outside);
  } finally {
    await log.close();
  }
}

/** Ends with 1 where something was found, and says what can be done where it is the checkpoint that does not count. */
function codeOf(
  cli: Cli,
  { findings }: Verified,
  verifier: Verifier,
  outside: readonly OutsideNote[],
): number {
  for (const { source, note } of outside.filter(({ note }) => openNote(note, verifier) === null))
    cli.note(
      `hint: ${source} says that it is of ${claimedOrigin(note)}. It counts with the key that signed it: compare that key with ${verifierText(verifier)}.`,
    );
  return findings.length === 0 ? exitCodes.done : exitCodes.failed;
}

/** A checkpoint that was kept in a file. Throws `bad-input` for a text that is none, as against one of another key. */
async function outsideNote(file: string): Promise<OutsideNote> {
  const note = await textOf(file);
  if (claimedOrigin(note) !== null) return { source: `the checkpoint in ${file}`, note };
  throw new RekeyError(
    "bad-input",
    note.trim() === "" ? `${file} is empty.` : `${file} is no checkpoint.`,
    "`rekey audit checkpoint > FILE` writes one; it counts as it was written, to the last line break.",
  );
}

async function verifyOffline(cli: Cli, file: string, given: string | undefined): Promise<number> {
  const pack = jsonOf(await textOf(file), file);
  if (given === undefined) {
    cli.note(
      `No --key was given: the pack is verified with the key that it names itself, ${keyInPack(pack)}`,
    );
    cli.note("Compare that with the one that you were given by another way.");
  }
  const verified = verifyPack(pack, given ?? keyInPack(pack));
  cli.show(verified, () => packText(verified, cli.paint));
  return verified.findings.length === 0 ? exitCodes.done : exitCodes.failed;
}

async function checkpoint(cli: Cli): Promise<number> {
  const note = await (await (await cli.services()).audit()).checkpoint();
  cli.show({ checkpoint: note }, note.trimEnd());
  return exitCodes.done;
}

async function key(cli: Cli): Promise<number> {
  const line = (await (await cli.services()).audit()).key();
  cli.show({ key: line }, line);
  return exitCodes.done;
}

async function show(cli: Cli, _options: AuditOptions, rotation: string | undefined): Promise<number> {
  const id = needed(rotation, "show");
  const entries = await (await (await cli.services()).audit()).entries(id);
  if (entries.length === 0) throw unknownRotation(id);
  cli.show({ rotation: id, entries }, () => entriesText(entries, cli.paint));
  return exitCodes.done;
}

async function exportPack(cli: Cli, { out }: AuditOptions, rotation: string | undefined): Promise<number> {
  const pack = await (await (await cli.services()).audit()).pack(needed(rotation, "export"));
  const text = JSON.stringify(pack, null, 2);
  if (out === undefined) {
    cli.show(pack, text);
    return exitCodes.done;
  }
  await writeFile(out, `${text}\n`, { flag: "wx", mode: 0o600 }).catch((failure) => {
    throw unwritable(out, failure);
  });
  const { entries } = pack;
  cli.show(
    { out, entries: entries.length },
    `Wrote ${out}: ${count(entries.length, "entry", "entries")} with proofs.`,
  );
  return exitCodes.done;
}

async function forget(cli: Cli, { before = "", as, yes }: AuditOptions): Promise<number> {
  const at = dayAt(before);
  if (at === null) {
    throw new RekeyError(
      "bad-input",
      "It is not said which entries are old enough.",
      "Add --before, as 2026-01-31.",
    );
  }
  const by = personFor(cli.io, as);
  const desk = await (await cli.services()).audit();
  const question = `Forget names and reasons in all entries from before ${moment(at)}? They cannot be had again.`;
  if (!(await cli.confirm(question, yes === true))) {
    cli.note("Nothing was forgotten.");
    return exitCodes.failed;
  }
  const forgotten = await desk.forget(at, by);
  const text =
    forgotten === 0
      ? "There was nothing to forget, and nothing was written."
      : `${count(forgotten, "field")} forgotten. The log is as whole as before, and says so.`;
  cli.show({ before: at, forgotten }, text);
  return exitCodes.done;
}

/** The day's beginning in UTC; null for what is not a day of the calendar. */
function dayAt(text: string): number | null {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text) ? at : null;
}

function needed(rotation: string | undefined, what: string): string {
  if (rotation !== undefined) return rotation;
  throw new RekeyError(
    "bad-input",
    `\`rekey audit ${what}\` needs the id of a rotation.`,
    "`rekey status` shows it.",
  );
}

function unknownRotation(id: string): RekeyError {
  const hint =
    "`rekey status <credential>` shows the id; what was told a moment ago is taken in within seconds.";
  return new RekeyError("not-found", `The audit log has no entry of rotation ${id}.`, hint);
}

async function textOf(file: string): Promise<string> {
  return readFile(file, "utf8").catch((failure: NodeJS.ErrnoException) => {
    throw new RekeyError("bad-input", `${file} cannot be read (${failure.code ?? "?"}).`, "Check the path.");
  });
}

function jsonOf(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RekeyError("bad-input", `${file} is no JSON.`, "`rekey audit export` writes an evidence pack.");
  }
}
