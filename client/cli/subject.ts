/** From the name that a person typed to the credential, its rotation, and the names for every id around it. */
import { RekeyError } from "../../domain/errors.js";
import type { CredentialView } from "../../inventory/credentials.js";
import type { RotationSummary } from "../../inventory/rotations.js";
import { knownName } from "./choose.js";
import type { Services } from "./deps.js";
import { type Names, namesOf } from "./format/names.js";

/** A credential that somebody named. */
export interface Subject extends CredentialView {
  /** Its rotation while that is open. */
  readonly open: RotationSummary | null;
  /** Names of all that sentences about it may speak of by id. */
  readonly names: Names;
}

/** A credential whose rotation is open. */
export interface OpenSubject extends Subject {
  readonly open: RotationSummary;
}

/** The credential of that name. Throws `not-found` with the nearest name as hint. */
export async function credentialNamed(
  { inventory }: Pick<Services, "inventory">,
  name: string,
): Promise<Subject> {
  const rows = await inventory.credentials();
  const known = knownName(
    name,
    rows.map((row) => row.name),
    "credential",
  );
  const row = rows.find((one) => one.name === known);
  if (row === undefined)
    throw new RekeyError("internal", `The credential ${known} is listed and has no entry.`);
  const consumers = await inventory.entries("consumers", { ended: true });
  const open = openOf(row);
  return { ...row, open, names: namesOf([...consumers, ...rows].map((entry) => [entry.id, entry.name])) };
}

/** The credential's rotation, if it is open. */
export function openOf({ rotation }: CredentialView): RotationSummary | null {
  return rotation?.closedAt === null ? rotation : null;
}

/** The same, with an open rotation. Throws `not-found` when there is none. */
export async function openSubject(services: Services, name: string): Promise<OpenSubject> {
  const subject = await credentialNamed(services, name);
  if (subject.open !== null) return { ...subject, open: subject.open };
  throw new RekeyError(
    "not-found",
    `No rotation of ${name} is open.`,
    `Start one with \`rekey rotate ${name}\`.`,
  );
}

/** The newest rotation of the credential, open or ended; null when there never was one. */
export async function latestRotation(
  { inventory }: Pick<Services, "inventory">,
  credential: string,
): Promise<RotationSummary | null> {
  return (await inventory.rotations(credential, 1))[0] ?? null;
}
