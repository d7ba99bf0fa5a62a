/**
 * Any provider that has an HTTP API for its keys, by a description and without code. The provider makes the value,
 * and mostly in the place of the one before: then the plan says from where on there is no way back (H11, H29).
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
} from "../ports.js";
import { refuseForeign } from "../shared/fence-check.js";
import { preflight } from "./http/checks.js";
import { accountSchema, configSchema, type HttpAccount, type HttpConfig } from "./http/config.js";
import { fenced } from "./http/fence.js";
import { type Begun, minted } from "./http/mint.js";
import { openSession, type Session, shownSlot } from "./http/session.js";
import { mustBeTheValue, proofs, type Shown } from "./http/try.js";

const traits: IssuerTraits = {
  overlap: "none",
  sessionsTellVersions: true,
  sessionless: true,
  capacity: 1,
  valueBy: "issuer",
  disableReversible: false,
  derives: [],
  propagationMs: 0,
};

/** The kind's entry in the registry. */
export const http: IssuerKind<typeof configSchema, typeof accountSchema> = {
  traits,
  config: configSchema,
  account: accountSchema,
  create: (config, account, deps) => new HttpIssuer(config, account, deps),
  lockKeys: ({ address }, { keys }) => keys.map((key) => `http ${address} key ${key}`),
};

/** What this provider's keys are like, by its description. */
function traitsOf(config: HttpConfig, { keys }: HttpAccount): IssuerTraits {
  return {
    ...traits,
    overlap: keys.length > 1 ? "several-secrets" : "none",
    capacity: keys.length,
    disableReversible: config.disable !== undefined && config.enable !== undefined,
    derives: config.derives.map(({ what, maxLife, endedByDisable }) => ({
      what,
      maxLifeMs: maxLife ?? null,
      endedByDisable,
    })),
    propagationMs: config.propagation,
  };
}

class HttpIssuer implements Issuer {
  readonly traits: IssuerTraits;
  readonly #config: HttpConfig;
  readonly #account: HttpAccount;
  readonly #deps: AdapterDeps;

  constructor(config: HttpConfig, account: HttpAccount, deps: AdapterDeps) {
    this.traits = traitsOf(config, account);
    this.#config = config;
    this.#account = account;
    this.#deps = deps;
  }

  preflight(call: Call): Promise<Finding[]> {
    return preflight(this.#config, this.#account, this.#deps, call);
  }

  async survey(call: Call): Promise<IssuerView> {
    const session = await this.#look(call);
    const slots = await Promise.all(
      this.#account.keys.map(async (slot) =>
        shownSlot(this.#config, this.#account, slot, await session.slot(slot)),
      ),
    );
    const others = this.#config.test.at.map((address) => new URL(address).host);
    return {
      identity: session.identity,
      nodes: [
        { node: session.host, role: "primary" },
        ...others.filter((node) => node !== session.host).map((node) => ({ node, role: "standby" as const })),
      ],
      slots,
      sessions: [],
      // There are none to be listed; that the provider knew us is all that can be seen.
      watermarkSeen: true,
      at: this.#deps.now(),
    };
  }

  slotOf({ username, password }: SecretDocument): string | null {
    const [only = null] = this.#account.keys;
    if (username === undefined || password === undefined) return null;
    if (this.#config.mint.replaces === "key") return only;
    const key = username.reveal();
    return this.#account.keys.includes(key) ? key : null;
  }

  generate(slot: string): SecretDocument {
    throw new RekeyError("unsupported", `The value of ${slot} is made by the provider.`);
  }

  /** Has a value made; what was in the slot is gone from then on. */
  async mint(
    change: FencedChange,
    keep: (document: SecretDocument) => Promise<void>,
    call: Call,
  ): Promise<Applied> {
    const begun = await this.#begin(change, call);
    if (begun.is === "done") return "already";
    await minted(this.#config, begun, keep);
    return "applied";
  }

  /** The provider's value cannot be set; it is looked whether this is it, and the slot counts as having it (H11, H12). */
  async enable(change: FencedChange, document: SecretDocument, call: Call): Promise<Applied> {
    const shown = this.#shown(change.slot, document);
    const begun = await this.#begin(change, call);
    if (begun.is === "done") return "already";
    const { session, slot, text, look } = begun;
    const { fence } = session;
    const { enable } = this.#config;
    const known = { tag: text, key: shown.key, before: null };
    const listed = session.keys().find(({ id }) => id === shown.key);
    let expect = begun.expect;
    if (listed?.enabled === false && enable !== undefined) {
      await fence.swap(slot, expect, { ...look.standing, ...known, done: false });
      expect = text;
      await session.send(enable, slot, shown.key, text);
    }
    await mustBeTheValue(this.#config, slot, shown, this.#deps, call);
    await fence.swap(slot, expect, { ...known, done: true, mark: listed?.mark ?? null });
    return "applied";
  }

  prove(slot: string, document: SecretDocument, call: Call): Promise<NodeProof[]> {
    return proofs(this.#config, this.#shown(slot, document), "let in", this.#deps, call);
  }

  proveRefused(slot: string, document: SecretDocument, call: Call): Promise<NodeProof[]> {
    return proofs(this.#config, this.#shown(slot, document), "refused", this.#deps, call);
  }

  /** Switches the key off; where the provider has no switch its value goes, which cannot be undone. */
  disable(change: FencedChange, call: Call): Promise<Applied> {
    const { disable } = this.#config;
    return this.#end(change, call, disable === undefined ? "forget" : "switch off");
  }

  /** The value is forgotten. A key that stays is never removed; one that was made for this value is (H36). */
  destroy(change: FencedChange, call: Call): Promise<Applied> {
    return this.#end(change, call, "forget");
  }

  async seize(change: FencedChange, call: Call): Promise<Applied> {
    const begun = await this.#begin(change, call);
    if (begun.look.standing.tag === begun.text) return "already";
    await begun.session.fence.swap(begun.slot, begun.expect, { ...begun.look.standing, tag: begun.text });
    return "applied";
  }

  async close(): Promise<void> {}

  #look(call: Call): Promise<Session> {
    return openSession(this.#config, this.#account, this.#deps, call);
  }

  /** Looks, and holds the change against what is there. `done`: an earlier attempt has made it, all of it. */
  async #begin(change: FencedChange, call: Call): Promise<Begun & { readonly is: "done" | "to do" }> {
    const { slot, expect, identity } = change;
    this.#known(slot);
    const session = await this.#look(call);
    if (identity !== null && identity !== session.identity)
      throw new RekeyError("wrong-server", `${session.host} is another account than the plan's.`);
    const look = await session.slot(slot);
    const { tag, done } = look.standing;
    const text = formatTag(change.tag);
    refuseForeign(change, tag);
    if (tag !== text && tag !== expect) throw fenced(slot);
    return { session, slot, text, look, expect: tag, is: tag === text && done ? "done" : "to do" };
  }

  async #end(change: FencedChange, call: Call, how: "switch off" | "forget"): Promise<Applied> {
    const begun = await this.#begin(change, call);
    if (begun.is === "done") return "already";
    const { session, slot, text, look, expect } = begun;
    const { disable, mint, delete: remove } = this.#config;
    await session.fence.swap(slot, expect, { ...look.standing, tag: text, done: false });
    const keys = [look.key, ...look.ours].filter((key) => key !== undefined);
    for (const { id, enabled } of keys) {
      if (how === "forget" && mint.replaces === "key" && remove) await session.send(remove, slot, id, text);
      else {
        // Another value, which is dropped: whatever was known of this key lets nobody in.
        if (how === "forget") await session.send(mint, slot, id, text);
        if (disable && enabled) await session.send(disable, slot, id, text);
      }
    }
    const isGone = how === "forget" && mint.replaces === "key";
    const rest = isGone ? { key: null, mark: null, before: null } : {};
    await session.fence.swap(slot, text, { ...look.standing, ...rest, tag: text, done: true });
    return "applied";
  }

  #known(slot: string): void {
    if (!this.#account.keys.includes(slot))
      throw new RekeyError("bad-input", `${slot} is not a key of this account.`);
  }

  /** Id and value of a document, as one (H34). Throws `value-missing` where it lacks one of them. */
  #shown(slot: string, document: SecretDocument): Shown {
    this.#known(slot);
    const { username, password } = document;
    if (username === undefined || password === undefined)
      throw new RekeyError("value-missing", `The document for ${slot} lacks the key's id or its value.`);
    if (this.slotOf(document) !== slot)
      throw new RekeyError("bad-input", `The document for ${slot} is of another key.`);
    return { key: username.reveal(), value: new Secret(password.reveal()) };
  }
}
