/** Alice, who signs: a folder of her own with a key that `rekey keygen` made, and the way to check what she signed. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compactVerify, importJWK } from "jose";
import { afterAll, beforeAll, expect } from "vitest";
import type { DocumentPayload } from "../../domain/documents.js";
import { runIn } from "./fakes.js";
import { idle } from "./worlds.js";

/** A person with a key, for one test file. */
export interface Signer {
  /** Path of the private key. */
  key(): string;
  /** A path in the folder that nothing has yet. */
  fresh(): string;
  /** The payload of a document, once her public key has verified it. */
  verified(document: string): Promise<DocumentPayload>;
}

/** Makes the key before the file's tests, and removes the folder after them. */
export function signer(): Signer {
  let folder = "";
  let publicLine = "";
  let files = 0;
  const key = () => join(folder, "alice.json");
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "rekey-signing-"));
    const made = await runIn(idle(), ["keygen", "--as", "alice", "--out", key(), "--json"]);
    publicLine = (JSON.parse(made.stdout) as { public: string }).public;
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return {
    key,
    fresh: () => {
      files += 1;
      return join(folder, `file-${files}`);
    },
    verified: async (document) => {
      const x = publicLine.slice("ed25519:".length);
      const publicKey = await importJWK({ kty: "OKP", crv: "Ed25519", x }, "EdDSA");
      const { payload, protectedHeader } = await compactVerify(document, publicKey);
      expect(protectedHeader).toMatchObject({ alg: "EdDSA", kid: "alice" });
      return JSON.parse(new TextDecoder().decode(payload)) as DocumentPayload;
    },
  };
}
