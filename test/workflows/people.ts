/** The persons of the tests' estate, with real keys, and the documents that they sign: good ones and every kind of bad one. */
import { randomBytes } from "node:crypto";
import { newKey, readKey, type SigningKey, signDocument } from "../../client/documents.js";
import type { DocumentPayload } from "../../domain/documents.js";
import type { Estate, Person } from "../../domain/estate/types.js";
import type { RotationState } from "../../domain/rotation/state.js";

const names = ["ann", "bob", "cleo", "dora", "eve", "rashid", "runa"] as const;

/** `ann` and `bob` are the team that owns the credential, `dora` signs in `ann`'s place; `rashid` and `runa` respond to leaks. */
export type PersonName = (typeof names)[number];

/** Everybody's keys. */
export interface People {
  readonly owners: Estate["owners"];
  readonly keys: Readonly<Record<PersonName, SigningKey>>;
}

let made: Promise<People> | undefined;

/** The people; the same keys for all tests of a file. */
export function people(): Promise<People> {
  made ??= make();
  return made;
}

async function make(): Promise<People> {
  const pairs = await Promise.all(
    names.map(async (name) => {
      const { jwk, publicLine } = await newKey(name);
      return { name, key: readKey(jwk), x: publicLine.replace("ed25519:", "") };
    }),
  );
  const persons = pairs.map(({ name, x }): [string, Person] => [
    name,
    {
      kind: "person",
      email: `${name}@example.com`,
      keys: [{ kty: "OKP", crv: "Ed25519", x }],
      delegates:
        name === "ann"
          ? [{ to: "dora", from: "2020-01-01T00:00:00.000Z", until: "2100-01-01T00:00:00.000Z" }]
          : [],
    },
  ]);
  return {
    owners: { ...Object.fromEntries(persons), payments: { kind: "team", members: ["ann", "bob"] } },
    keys: Object.fromEntries(pairs.map(({ name, key }) => [name, key])) as People["keys"],
  };
}

/** A document; `more` says in what it differs from an approval that is good for an hour. */
export async function signed(
  person: PersonName,
  more: Partial<DocumentPayload> & Pick<DocumentPayload, "installation">,
  key: PersonName = person,
): Promise<string> {
  const { keys } = await people();
  const payload: DocumentPayload = {
    form: "rekey-decision/1",
    credential: "orders-db",
    rotation: "",
    nonce: "",
    digest: "none",
    says: "approve",
    person,
    issuedAt: Date.now(),
    expiresAt: Date.now() + 3_600_000,
    id: `doc_${randomBytes(8).toString("hex")}`,
    ...more,
  };
  // A key that is another's signs in the person's name: what a forger has.
  return signDocument(payload, { ...keys[key], person: payload.person });
}

/** An approval of the rotation's plan as it stands, or what `more` makes of it. */
export function paper(
  house: { readonly installation: string },
  state: RotationState,
  person: PersonName,
  more: Partial<DocumentPayload> = {},
  key: PersonName = person,
): Promise<string> {
  const { id: rotation, nonce, plan } = state;
  return signed(
    person,
    { installation: house.installation, rotation, nonce, digest: plan?.digest ?? "", ...more },
    key,
  );
}
