/**
 * Signing keys published as a JSON Web Key Set in a file that your web server serves. Here "valid" means published:
 * verifiers learn of a key before anybody signs with it, and forget it after nobody's token needs it (H28).
 */
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
  Slot,
} from "../ports.js";
import { isFolder } from "../shared/disk.js";
import { isMade } from "../shared/fence-check.js";
import { changeFenced, fencedBytes } from "../shared/fenced-file.js";
import { accountSchema, configSchema, type JwksAccount, type JwksConfig } from "./jwks/config.js";
import { formatKeySet, type KeySet, type PublicKey, parseKeySet, slotIn, withSlot } from "./jwks/document.js";
import { newPrivateKey, privateText, publicKey, type SigningKey, signingKey } from "./jwks/keys.js";
import { checkPublished, jwksGrants } from "./jwks/preflight.js";
import { fetchServed, type ServedSet, type Trial, tried } from "./jwks/served.js";

const nameBytes = 12;

const traits: IssuerTraits = {
  overlap: "several-keys",
  sessionsTellVersions: true,
  sessionless: true,
  capacity: 2,
  valueBy: "engine",
  disableReversible: true,
  derives: [],
  propagationMs: 0,
  roles: [
    { role: "verifier", takes: "issuer", memoryMs: 0 },
    { role: "signer", takes: "store", memoryMs: 0 },
  ],
  leakedGoesFirst: "stored-copies",
};

/** The kind's entry in the registry. */
export const jwks: IssuerKind<typeof configSchema, typeof accountSchema> = {
  traits,
  config: configSchema,
  account: accountSchema,
  create: (config, account, deps) => new JwksIssuer(config, account, deps),
  lockKeys: ({ file }, { slots }) => slots.map((slot) => `jwks ${file} slot ${slot}`),
  grants: jwksGrants,
};

/** What becomes of a slot's key. */
type Effect =
  | { readonly does: "publish"; readonly key: PublicKey }
  | { readonly does: "withdraw" | "forget" | "tag" };

class JwksIssuer implements Issuer {
  readonly traits: IssuerTraits;
  readonly #config: JwksConfig;
  readonly #account: JwksAccount;
  readonly #deps: AdapterDeps;

  constructor(config: JwksConfig, account: JwksAccount, deps: AdapterDeps) {
    const { slots, verifierCacheLife, tokenLife, clockSkew } = account;
    this.traits = {
      ...traits,
      capacity: slots.length,
      derives: [{ what: "tokens", maxLifeMs: tokenLife + clockSkew, endedByDisable: true }],
      roles: (traits.roles ?? []).map((role) =>
        role.takes === "issuer" ? { ...role, memoryMs: verifierCacheLife } : role,
      ),
    };
    this.#config = config;
    this.#account = account;
    this.#deps = deps;
  }

  async preflight(call: Call): Promise<Finding[]> {
    const set = await this.#read(call);
    const folder = await isFolder(this.#config.lockFolder);
    const slots = this.#slots(set);
    return checkPublished(this.#config, slots, folder, this.#deps, call);
  }

  async survey(call: Call): Promise<IssuerView> {
    const set = await this.#read(call);
    const node = (address: string) => `${new URL(address).host}${new URL(address).pathname}`;
    return {
      identity: `jwks ${set.rekey.issuer}`,
      nodes: [
        { node: "file", role: "primary" },
        ...this.#config.urls.map((address) => ({ node: node(address), role: "standby" as const })),
      ],
      slots: this.#slots(set),
      sessions: [],
      // Our own member was in the very document: what is not in it is not published.
      watermarkSeen: true,
      at: this.#deps.now(),
    };
  }

  slotOf(document: SecretDocument): string | null {
    const kid = document.username?.reveal();
    if (kid === undefined) return null;
    const { slots, existing } = this.#account;
    if (existing?.kid === kid) return existing.slot;
    return slots.find((slot) => kid.startsWith(`${slot}.`)) ?? null;
  }

  generate(slot: string): SecretDocument {
    this.#known(slot);
    const { algorithm, format } = this.#account;
    const kid = `${slot}.${Buffer.from(this.#deps.random(nameBytes)).toString("base64url")}`;
    const text = privateText(newPrivateKey(algorithm), format, kid, algorithm);
    return { username: new Secret(kid), password: text };
  }

  async enable(change: FencedChange, document: SecretDocument, call: Call): Promise<Applied> {
    const key = publicKey(this.#key(change.slot, document), this.#account.algorithm);
    return this.#change(change, { does: "publish", key }, call);
  }

  async prove(slot: string, document: SecretDocument, call: Call): Promise<NodeProof[]> {
    return this.#proofs(slot, document, "verified", call);
  }

  /** A key that is given out under this name and does not verify is no refusal: somebody else's may stand there. */
  async proveRefused(slot: string, document: SecretDocument, call: Call): Promise<NodeProof[]> {
    return this.#proofs(slot, document, "not published", call);
  }

  async #proofs(
    slot: string,
    document: SecretDocument,
    wanted: Trial["is"],
    call: Call,
  ): Promise<NodeProof[]> {
    const key = this.#key(slot, document);
    const trials = await tried(await this.#sets(call), key, this.#account.algorithm, this.#deps.now());
    return trials.map(({ node, is }) => ({ node, ok: is === wanted, sentence: `${key.kid} is ${is}` }));
  }

  /** Withdraws the key, and is done only when no address gives it out any more. */
  async disable(change: FencedChange, call: Call): Promise<Applied> {
    this.#known(change.slot);
    const applied = await this.#change(change, { does: "withdraw" }, call);
    const { kid } = slotIn(await this.#read(call), change.slot, this.#account.existing);
    const still = (await fetchServed(this.#config, this.#deps, call)).find(({ keys }) =>
      keys.some((key) => key.kid === kid && kid !== undefined),
    );
    if (still)
      throw new RekeyError("unreachable", `${still.node} still gives out ${kid}, which was withdrawn.`);
    return applied;
  }

  async destroy(change: FencedChange, call: Call): Promise<Applied> {
    this.#known(change.slot);
    return this.#change(change, { does: "forget" }, call);
  }

  async seize(change: FencedChange, call: Call): Promise<Applied> {
    this.#known(change.slot);
    return this.#change(change, { does: "tag" }, call);
  }

  async close(): Promise<void> {}

  async #change(change: FencedChange, effect: Effect, call: Call): Promise<Applied> {
    const { slot, identity } = change;
    return changeFenced(
      this.#config,
      this.#deps.random,
      (before) => {
        const set = parseKeySet(before, this.#config.file);
        if (identity !== null && identity !== `jwks ${set.rekey.issuer}`)
          throw new RekeyError(
            "wrong-server",
            `${this.#config.file} is the key set of another issuer than the plan's.`,
          );
        const { tag, kid } = slotIn(set, slot, this.#account.existing);
        if (isMade(change, tag)) return "already";
        const key = effect.does === "publish" ? effect.key : effect.does === "tag" ? "as-it-is" : null;
        const name = effect.does === "publish" ? effect.key.kid : effect.does === "forget" ? undefined : kid;
        return formatKeySet(withSlot(set, slot, kid, { tag: formatTag(change.tag), kid: name, key }));
      },
      call,
    );
  }

  /** What is valid by the file, and what each address gives out. */
  async #sets(call: Call): Promise<ServedSet[]> {
    const [set, others] = await Promise.all([this.#read(call), fetchServed(this.#config, this.#deps, call)]);
    return [{ node: "file", keys: set.keys }, ...others];
  }

  async #read(call: Call): Promise<KeySet> {
    return parseKeySet(await fencedBytes(this.#config, call), this.#config.file);
  }

  #slots(set: KeySet): Slot[] {
    return this.#account.slots.map((slot) => {
      const { tag, kid, enabled } = slotIn(set, slot, this.#account.existing);
      return { slot, tag, enabled, ...(kid === undefined ? {} : { publicName: kid }) };
    });
  }

  #known(slot: string): void {
    if (!this.#account.slots.includes(slot))
      throw new RekeyError("bad-input", `${slot} is not a slot of these keys.`);
  }

  #key(slot: string, document: SecretDocument): SigningKey {
    this.#known(slot);
    const key = signingKey(document, this.#account.algorithm);
    if (this.slotOf(document) !== slot)
      throw new RekeyError("bad-input", `The document for ${slot} names the key of another slot.`);
    return key;
  }
}
