/** Documents on their way from a person to a rotation: made, written to a file, read from one, and sent. */
import { readFile, writeFile } from "node:fs/promises";
import type { DocumentPayload, Said } from "../../domain/documents.js";
import { RekeyError } from "../../domain/errors.js";
import type { RotationState } from "../../domain/rotation/state.js";
import type { Receipt } from "../../workflows/messages.js";
import { readDocument, type SigningKey, signDocument } from "../documents.js";
import type { Cli } from "./cli.js";
import type { Services } from "./deps.js";
import { unwritable } from "./files.js";

const dayMs = 86_400_000;

/** What a document is bound to; `rotation` and `nonce` are empty for a report before there is a rotation. */
export type Bound = Pick<DocumentPayload, "installation" | "credential" | "rotation" | "nonce">;

/** The binding to an open rotation. `credential` is the name. */
export function boundTo({ installation, id, nonce }: RotationState, credential: string): Bound {
  return { installation, credential, rotation: id, nonce };
}

/**
 * Makes and signs one document. It expires after `validForMs` (a policy's `validFor`, or 14 days); `issuedAt` is
 * when what it is about was shown, now by default.
 */
export async function sign(
  { io, now }: Pick<Cli, "io" | "now">,
  key: SigningKey,
  bound: Bound,
  what: {
    readonly says: Said;
    readonly digest: string;
    readonly consumer?: string;
    readonly version?: string;
  },
  validForMs = 14 * dayMs,
  issuedAt = now(),
): Promise<string> {
  return signDocument(
    {
      form: "rekey-decision/1",
      ...bound,
      ...what,
      person: key.person,
      issuedAt,
      expiresAt: issuedAt + validForMs,
      id: io.randomId("doc"),
    },
    key,
  );
}

/** Writes documents, a line each; they hold no secret. Never over an existing file. */
export async function writeDocuments(file: string, documents: readonly string[]): Promise<void> {
  try {
    await writeFile(file, documents.map((document) => `${document}\n`).join(""), { flag: "wx" });
  } catch (failure) {
    throw unwritable(file, failure);
  }
}

/** The documents in a file. Throws `bad-input` when there is none, or anything else. */
export async function readDocuments(file: string): Promise<string[]> {
  const text = await readFile(file, "utf8").catch((failure: NodeJS.ErrnoException) => {
    throw new RekeyError("bad-input", `${file} cannot be read (${failure.code ?? "no reason given"}).`);
  });
  const documents = text.split("\n").filter((line) => line.trim() !== "");
  if (documents.length === 0) throw new RekeyError("bad-input", `${file} holds no signed document.`);
  return documents.map((document) => {
    readDocument(document);
    return document.trim();
  });
}

/** What came of sending one document. `answered` is false when it waits for a worker. */
export interface Sent extends Receipt {
  readonly id: string;
  readonly answered: boolean;
}

/**
 * Sends a document and waits for the verdict; where nobody answers it is left for the rotation to find. Throws
 * `decision-refused` when it does not count; `hint` says what to do then, where that is not to sign the plan anew.
 */
export async function send(
  { rotations }: Pick<Services, "rotations">,
  workflow: string,
  document: string,
  hint?: string,
): Promise<Sent> {
  const { id } = readDocument(document);
  try {
    const receipt = await rotations.decide(workflow, document, id);
    if (!receipt.accepted) throw new RekeyError("decision-refused", receipt.sentence, hint);
    return { ...receipt, id, answered: true };
  } catch (failure) {
    if (!(failure instanceof RekeyError) || failure.code !== "unreachable") throw failure;
    await rotations.decideLater(workflow, document);
    const sentence =
      "Nobody answered. The document was left for the rotation, which verifies it once a worker runs.";
    return { accepted: true, sentence, id, answered: false };
  }
}
