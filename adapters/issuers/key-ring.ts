/**
 * The keys that seal what Rekey keeps in Temporal, rotated by Rekey itself. Here "valid" means that everybody opens with
 * the key: it is in the ring before anybody seals with it, and stays there for as long as anything needs it (H28).
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { RekeyError } from "../../domain/errors.js";
import { formatTag } from "../../domain/fence.js";
import type { Finding } from "../../domain/finding.js";
import type { IssuerTraits } from "../../domain/kinds.js";
import { Secret } from "../../domain/secret.js";
import type {
  AdapterDeps,
  Applied,
  Call,
  FencedChange,
  Issuer,
  IssuerKind,
  IssuerView,
  NodeProof,
  SecretDocument,
  SessionGroup,
  Slot,
} from "../ports.js";
import { codecKeyBytes, codecKeyId, codecKeyIn } from "../shared/codec-key.js";
import { isFolder } from "../shared/disk.js";
import { isMade } from "../shared/fence-check.js";
import { changeFenced, fencedBytes } from "../shared/fenced-file.js";
import { orWhenOver } from "../shared/retry.js";
import { accountSchema, configSchema, type KeyRingAccount, type KeyRingConfig } from "./key-ring/config.js";
import { formatRing, headerLine, parseRing, type Ring, slotIn, withSlot } from "./key-ring/document.js";

const traits: IssuerTraits = {
  overlap: "several-keys",
  sessionsTellVersions: true,
  sessionless: true,
  sealsHistories: true,
  capacity: 2,
  valueBy: "engine",
  disableReversible: true,
  derives: [],
  propagationMs: 0,
  roles: [
    { role: "opener", takes: "issuer", memoryMs: 0 },
    { role: "sealer", takes: "store", memoryMs: 0 },
  ],
};

/** The kind's entry in the registry. */
export const keyRing: IssuerKind<typeof configSchema, typeof accountSchema> = {
  traits,
  config: configSchema,
  account: accountSchema,
  create: (config, account, deps) => new KeyRingIssuer(config, account, deps),
  lockKeys: ({ file }, { slots }) => slots.map((slot) => `key-ring ${file} slot ${slot}`),
  grants: ({ ring }) => {
    if (ring !== undefined && ring !== "") return `${headerLine({ ring, slots: {} })}\n`;
    throw new RekeyError("bad-input", "The option `ring` is missing: a name that no other ring has.");
  },
};

/** A key with its id, as a document has it. */
interface RingKey {
  readonly id: string;
  readonly key: Buffer;
  readonly text: Secret;
}

type Effect =
  | { readonly does: "add"; readonly key: RingKey }
  | { readonly does: "take-out" | "forget" | "tag" };

class KeyRingIssuer implements Issuer {
  readonly traits: IssuerTraits;
  readonly #config: KeyRingConfig;
  readonly #account: KeyRingAccount;
  readonly #deps: AdapterDeps;

  constructor(config: KeyRingConfig, account: KeyRingAccount, deps: AdapterDeps) {
    const { memory: memoryMs, slots } = account;
    const roles = (traits.roles ?? []).map((role) => ({ ...role, memoryMs }));
    this.traits = { ...traits, capacity: slots.length, roles };
    this.#config = config;
    this.#account = account;
    this.#deps = deps;
  }

  async preflight(call: Call): Promise<Finding[]> {
    await this.#read(call);
    const { lockFolder } = this.#config;
    const sentence = `The folder ${lockFolder} is not there; make it with mode 0700.`;
    return (await isFolder(lockFolder)) ? [] : [{ code: "no-lock-folder", severity: "refuse", sentence }];
  }

  async survey(call: Call): Promise<IssuerView> {
    const ring = await this.#read(call);
    const slots = this.#slots(ring);
    const at = this.#deps.now();
    const kept = await Promise.all(slots.map((slot) => this.#kept(slot, at, call)));
    return {
      identity: `key-ring ${ring.ring}`,
      nodes: [{ node: "ring", role: "primary" }],
      slots,
      sessions: kept.flat(),
      // Our own line was in the very file, and Temporal answered, or this look is none.
      watermarkSeen: true,
      at,
    };
  }

  /** What Temporal keeps and could not be read without the slot's key: as long as there is any, the key is in use. */
  async #kept({ slot, publicName, enabled }: Slot, at: number, call: Call): Promise<SessionGroup[]> {
    if (publicName === undefined || !enabled) return [];
    const asked = this.#deps.codec.needing(publicName, this.#account.memory, call);
    const late = () => new RekeyError("unreachable", "Temporal did not say in time what it keeps.");
    const count = await orWhenOver(asked, call.signal, late);
    if (count === 0) return [];
    return [
      { node: "ring", slot, application: "histories", address: "", count, youngestAt: at, oldestAt: at },
    ];
  }

  slotOf(document: SecretDocument): string | null {
    const name = document.username?.reveal();
    const { slots, existing } = this.#account;
    if (name === undefined) return null;
    if (existing?.keyId === name) return existing.slot;
    return slots.find((slot) => name.startsWith(`${slot}.`)) ?? null;
  }

  generate(slot: string): SecretDocument {
    this.#known(slot);
    const key = Buffer.from(this.#deps.random(codecKeyBytes));
    const password = new Secret(key.toString("base64"));
    return { username: new Secret(`${slot}.${codecKeyId(key)}`), password };
  }

  async enable(change: FencedChange, document: SecretDocument, call: Call): Promise<Applied> {
    return this.#change(change, { does: "add", key: this.#key(change.slot, document) }, call);
  }

  /** Seals with the document's key, and opens with what the ring has under that id. */
  async prove(slot: string, document: SecretDocument, call: Call): Promise<NodeProof[]> {
    const { id, key } = this.#key(slot, document);
    const found = (await this.#read(call)).keys.find((one) => one.id === id);
    const other = found === undefined ? null : codecKeyIn(found.text.reveal());
    const ok = other !== null && opens(key, other, this.#deps.random);
    return [{ node: "ring", ok, sentence: ok ? `the ring opens what ${id} seals` : `the ring has no ${id}` }];
  }

  async disable(change: FencedChange, call: Call): Promise<Applied> {
    return this.#change(change, { does: "take-out" }, call);
  }

  async proveRefused(slot: string, document: SecretDocument, call: Call): Promise<NodeProof[]> {
    return (await this.prove(slot, document, call)).map((proof) => ({ ...proof, ok: !proof.ok }));
  }

  async destroy(change: FencedChange, call: Call): Promise<Applied> {
    return this.#change(change, { does: "forget" }, call);
  }

  async seize(change: FencedChange, call: Call): Promise<Applied> {
    return this.#change(change, { does: "tag" }, call);
  }

  async close(): Promise<void> {}

  async #change(change: FencedChange, effect: Effect, call: Call): Promise<Applied> {
    const { slot } = change;
    this.#known(slot);
    return changeFenced(
      this.#config,
      this.#deps.random,
      (before) => {
        const ring = parseRing(before, this.#config.file);
        if (change.identity !== null && change.identity !== `key-ring ${ring.ring}`)
          throw new RekeyError("wrong-server", `${this.#config.file} is another ring than the plan's.`);
        const { tag, keyId } = slotIn(ring, slot, this.#account.existing);
        if (isMade(change, tag)) return "already";
        const key = effect.does === "add" ? effect.key : effect.does === "tag" ? "as-it-is" : null;
        const id = effect.does === "add" ? effect.key.id : effect.does === "forget" ? undefined : keyId;
        return formatRing(withSlot(ring, slot, keyId, { tag: formatTag(change.tag), keyId: id, key }));
      },
      call,
    );
  }

  async #read(call: Call): Promise<Ring> {
    return parseRing(await fencedBytes(this.#config, call), this.#config.file);
  }

  #slots(ring: Ring): Slot[] {
    return this.#account.slots.map((slot) => {
      const { tag, keyId, enabled } = slotIn(ring, slot, this.#account.existing);
      return { slot, tag, enabled, ...(keyId === undefined ? {} : { publicName: keyId }) };
    });
  }

  #known(slot: string): void {
    if (!this.#account.slots.includes(slot))
      throw new RekeyError("bad-input", `${slot} is not a slot of this ring.`);
  }

  #key(slot: string, document: SecretDocument): RingKey {
    this.#known(slot);
    const { username, password } = document;
    if (username === undefined || password === undefined)
      throw new RekeyError("value-missing", "The document lacks the key or its name.");
    const key = codecKeyIn(password.reveal());
    const id = key === null ? "" : codecKeyId(key);
    const name = username.reveal();
    if (key === null || this.slotOf(document) !== slot || name.slice(name.indexOf(".") + 1) !== id)
      throw new RekeyError(
        "bad-input",
        `The document for ${slot} does not hold the codec key that it names.`,
      );
    return { id, key, text: password };
  }
}

/** True where one key opens what the other sealed. */
function opens(sealing: Buffer, opening: Buffer, random: AdapterDeps["random"]): boolean {
  const iv = random(12);
  const cipher = createCipheriv("aes-256-gcm", sealing, iv);
  const sealed = Buffer.concat([cipher.update(random(16)), cipher.final()]);
  const decipher = createDecipheriv("aes-256-gcm", opening, iv, { authTagLength: 16 });
  decipher.setAuthTag(cipher.getAuthTag());
  try {
    decipher.update(sealed);
    decipher.final();
    return true;
  } catch {
    return false;
  }
}
