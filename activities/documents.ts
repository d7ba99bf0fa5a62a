/** What is in a version's document: the provider's values, the engine's own fields, and which of them are secret. */
import { ownFields, type SecretDocument } from "../adapters/ports.js";
import { Secret } from "../domain/secret.js";

/** True for a field that the engine adds. */
export function isOwnField(field: string): boolean {
  return Object.values<string>(ownFields).includes(field);
}

/** The values that must not be known: neither the user name nor what the engine adds. */
export function secretValues(document: SecretDocument): Secret[] {
  return Object.entries(document).flatMap(([field, value]) =>
    isOwnField(field) || field === "username" ? [] : [value],
  );
}

/** The document with its version's id, and a key for attestation unless it has one. */
export function withOwnFields(document: SecretDocument, version: string, attestKey: Secret): SecretDocument {
  const { [ownFields.tag]: _tag, ...fields } = document;
  return {
    ...fields,
    [ownFields.version]: new Secret(version),
    [ownFields.attestKey]: document[ownFields.attestKey] ?? attestKey,
  };
}
