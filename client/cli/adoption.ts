/** Deciding on an adoption: what a person is shown, what they sign, and the way of it to the engine. */
import { createHash } from "node:crypto";
import {
  type AdoptionRecord,
  adoptionDigest,
  adoptionStanding,
  countSignatures,
} from "../../domain/adopt-plan.js";
import { exitCodes, RekeyError } from "../../domain/errors.js";
import type { Policy } from "../../domain/estate/types.js";
import type { Cli } from "./cli.js";
import type { AsOptions } from "./command.js";
import type { Services } from "./deps.js";
import { adoptionText, signaturesText } from "./format/adoption.js";
import { signingKey } from "./person.js";
import { sign, writeDocuments } from "./signing.js";
import { credentialNamed, type Subject } from "./subject.js";

/** The open adoption of a credential (an id), or null. */
export async function openAdoptionOf(
  { inventory }: Services,
  credential: string,
): Promise<AdoptionRecord | null> {
  return (await inventory.adoptions()).find((one) => one.credential === credential) ?? null;
}

/** An open adoption, and the credential that it is about. */
export interface AdoptionCase {
  readonly services: Services;
  readonly subject: Subject;
  readonly record: AdoptionRecord;
}

/** The open adoption of the credential of that name; null where there is none. Throws `not-found` for the credential. */
export async function adoptionNamed(cli: Cli, name: string): Promise<AdoptionCase | null> {
  const services = await cli.services();
  const subject = await credentialNamed(services, name);
  const record = await openAdoptionOf(services, subject.id);
  return record === null ? null : { services, subject, record };
}

/** How a decision is signed and sent. */
interface Signing extends AsOptions {
  readonly yes?: boolean;
  readonly file?: string;
}

/** Shows the plan, asks, signs, and sends or writes the document. */
export async function decideOnAdoption(
  cli: Cli,
  adopting: AdoptionCase,
  says: "approve" | "reject",
  options: Signing,
): Promise<number> {
  const { services, subject, record } = adopting;
  const key = await signingKey(cli.io, options);
  const now = cli.now();
  const settled = adoptionStanding(record, now).is === "approved";
  const agreed = countSignatures(record, now).agreed.includes(key.person);
  if (says === "approve" && (settled || agreed)) {
    cli.show({ credential: subject.name, sent: [] }, "Nothing waits for your signature.");
    return exitCodes.done;
  }
  checkDigest(record);
  if (!cli.json) {
    const text = [adoptionText(record, subject.name, cli.paint), signaturesText(record, subject.name, now)];
    cli.io.stdout.write(`${text.join("\n\n")}\n\n`);
  }
  if (!(await cli.confirm(`Sign as ${key.person}: ${says} this?`, options.yes === true))) {
    cli.note("Nothing was signed.");
    return exitCodes.failed;
  }
  const bound = {
    installation: services.installation,
    credential: subject.name,
    rotation: record.id,
    nonce: record.plan.nonce,
  };
  const entry = (await services.inventory.entries("policies")).find((one) => one.name === subject.policy);
  const validForMs = (entry?.body as unknown as Policy | undefined)?.approval.validForMs;
  const document = await sign(cli, key, bound, { says, digest: record.digest }, validForMs);
  if (options.file === undefined) return sendToAdoption(cli, adopting, [document]);
  await writeDocuments(options.file, [document]);
  const sentence = `Signed, and written to ${options.file}. Nothing was sent.`;
  cli.show({ credential: subject.name, file: options.file, documents: [document] }, sentence);
  return exitCodes.done;
}

/** What is signed is what is shown: the digest is computed anew from it (H7). */
function checkDigest({ plan, digest, id }: AdoptionRecord): void {
  const computed = adoptionDigest(plan, (text) => createHash("sha256").update(text).digest("hex"));
  if (computed === digest && plan.adoption === id) return;
  throw new RekeyError(
    "decision-refused",
    "The plan that is shown is not the one that its digest names; nothing was signed.",
    "Somebody may have changed the records. Ask whoever runs the installation.",
  );
}

/** Hands signed documents in. Throws `decision-refused` when one does not count. */
export async function sendToAdoption(
  cli: Cli,
  { subject: { id, name }, record }: AdoptionCase,
  documents: readonly string[],
): Promise<number> {
  const sentences: string[] = [];
  for (const document of documents) {
    const receipt = await cli.deps.adoption.decide(id, record.id, document);
    if (!receipt.accepted) throw new RekeyError("decision-refused", receipt.sentence);
    sentences.push(receipt.sentence);
  }
  const next = `Go on with \`rekey adopt ${name}${record.plan.direction === "undo" ? " --undo" : ""}\`.`;
  cli.show({ credential: name, adoption: record.id, sent: sentences }, [...sentences, next].join("\n"));
  return exitCodes.done;
}
