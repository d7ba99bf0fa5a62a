/**
 * The two access keys of an IAM user. AWS makes the values and shows each once; it has no compare-and-set for them, so a
 * change claims its slot in the user's tags, waits, looks whether the claim stands, and only then acts (H3, H11).
 */
import { RekeyError } from "../../domain/errors.js";
import type { Finding } from "../../domain/finding.js";
import type { IssuerTraits } from "../../domain/kinds.js";
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
import { IamApi, type UserSeen } from "./aws-iam/api.js";
import { anotherSecret, idIn, slotIn } from "./aws-iam/checks.js";
import { claim } from "./aws-iam/claim.js";
import { type IamAccount, type IamConfig, iamAccount, iamConfig, slots } from "./aws-iam/config.js";
import { iamGrants } from "./aws-iam/grants.js";
import { askAboutLost, refuseStrangers, removeFormer } from "./aws-iam/leftovers.js";
import { preflight } from "./aws-iam/preflight.js";
import { provedAs, provedRefused, Sts } from "./aws-iam/proofs.js";
import { keyOf, keyTag, recordsIn, type SlotRecord } from "./aws-iam/records.js";

const hour = 3_600_000;

const traits: IssuerTraits = {
  overlap: "several-secrets",
  sessionsTellVersions: true,
  sessionless: true,
  capacity: slots.length,
  valueBy: "issuer",
  disableReversible: true,
  derives: [{ what: "temporary credentials", maxLifeMs: 36 * hour, endedByDisable: false }],
  propagationMs: 60_000,
};

/** The kind's entry in the registry. */
export const awsIam: IssuerKind<typeof iamConfig, typeof iamAccount> = {
  traits,
  config: iamConfig,
  account: iamAccount,
  create: (config, account, deps) => new IamIssuer(config, account, deps),
  lockKeys: (config, { user }) => [`aws-iam ${config.account} user ${user}`],
  shownAs: ({ user }) => [user],
  grants: iamGrants,
};

/** The user with what its tags say of the slots. */
interface Seen extends UserSeen {
  readonly slots: ReadonlyMap<string, SlotRecord>;
}

class IamIssuer implements Issuer {
  readonly traits: IssuerTraits;
  readonly #config: IamConfig;
  readonly #account: IamAccount;
  readonly #deps: AdapterDeps;
  readonly #api: IamApi;
  readonly #sts: Sts;
  /** As last seen: a key's id does not say which slot it is in. */
  #slotOfKey: ReadonlyMap<string, string> = new Map();

  constructor(config: IamConfig, account: IamAccount, deps: AdapterDeps) {
    const maxLifeMs = account.derivedLife;
    this.traits = {
      ...traits,
      derives: traits.derives.flatMap((one) => (maxLifeMs > 0 ? [{ ...one, maxLifeMs }] : [])),
      propagationMs: config.propagation,
    };
    this.#config = config;
    this.#account = account;
    this.#deps = deps;
    this.#api = new IamApi(config, account.user, deps);
    this.#sts = new Sts(config, deps);
  }

  preflight(call: Call): Promise<Finding[]> {
    return preflight(this.#api, this.#sts, this.#config, this.#account, call);
  }

  async survey(call: Call): Promise<IssuerView> {
    const seen = await this.#look(call);
    return {
      identity: identityOf(seen, this.#config),
      nodes: this.#sts.nodes.map((node) => ({ node, role: "primary" })),
      slots: [...seen.slots].map(([slot, record]) => ({
        slot,
        tag: record.tag,
        enabled: seen.keys.get(keyOf(record) ?? "")?.active === true,
        ...(record.key.state === "minting" || record.key.state === "unkept" ? { unkept: true } : {}),
      })),
      // AWS lists nobody who uses a key: who was seen to hold which version is all there is.
      sessions: [],
      watermarkSeen: true,
      at: this.#deps.now(),
    };
  }

  slotOf(document: SecretDocument): string | null {
    return this.#slotOfKey.get(document.username?.reveal() ?? "") ?? null;
  }

  generate(slot: string): SecretDocument {
    slotIn({ slot });
    throw new RekeyError("unsupported", "AWS makes the access keys; a value of ours cannot be one.");
  }

  async mint(
    change: FencedChange,
    keep: (document: SecretDocument) => Promise<void>,
    call: Call,
  ): Promise<Applied> {
    const slot = slotIn(change);
    const before = await this.#look(call);
    refuseStrangers(this.#account.user, before, slot);
    // Named as the former one, until it is gone: a mint that dies in between leaves nothing that nobody accounts for.
    const minting = keyTag(slot, {
      state: "minting",
      former: keyOf(before.slots.get(slot)),
      at: this.#deps.now(),
    });
    const claimed = await this.#claim(change, [minting], call);
    if (claimed.applied === "already") {
      if (claimed.seen.slots.get(slot)?.key.state === "kept") return "already";
      throw new RekeyError("conflict", `A key for slot ${slot} is being made by this very change.`);
    }
    await askAboutLost(this.#api, this.#account.user, claimed.seen, slot, call);
    await removeFormer(this.#api, claimed.seen, slot, call);
    const { id, document } = await this.#api.create(call);
    await this.#api.tag([keyTag(slot, { state: "unkept", id })], call);
    await keep(document);
    await this.#api.tag([keyTag(slot, { state: "kept", id })], call);
    this.#slotOfKey = new Map([...this.#slotOfKey, [id, slot]]);
    return "applied";
  }

  async enable(change: FencedChange, document: SecretDocument, call: Call): Promise<Applied> {
    const slot = slotIn(change);
    const id = idIn(document, slot);
    const record = (await this.#look(call)).slots.get(slot);
    if (this.slotOf(document) !== slot)
      throw new RekeyError(
        "bad-input",
        `The document for ${slot} has the access key of another slot, or of none.`,
      );
    // A key's secret never changes, so switching this id on is setting this value, unless the copy is another's (H12).
    if (record?.key.state !== "kept") await this.#insistOn(document, slot, call);
    const claimed = await this.#claim(change, [keyTag(slot, { state: "kept", id })], call);
    if ((await this.#api.switch(id, true, call)) === "absent")
      throw new RekeyError("conflict", `The access key of slot ${slot} does not exist any more.`);
    if ((await this.#said(document, call)).includes("wrong")) {
      if (claimed.seen.keys.get(id)?.active === false) await this.#api.switch(id, false, call);
      throw anotherSecret(slot);
    }
    return claimed.applied;
  }

  async prove(slot: string, document: SecretDocument, call: Call): Promise<NodeProof[]> {
    slotIn({ slot });
    idIn(document, slot);
    const [{ arn }, said] = await Promise.all([this.#look(call), this.#sts.said(document, call)]);
    return provedAs(arn, said);
  }

  async disable(change: FencedChange, call: Call): Promise<Applied> {
    const slot = slotIn(change);
    const { applied, seen } = await this.#claim(change, [], call);
    const id = keyOf(seen.slots.get(slot));
    if (id !== null) await this.#api.switch(id, false, call);
    return applied;
  }

  async proveRefused(slot: string, document: SecretDocument, call: Call): Promise<NodeProof[]> {
    slotIn({ slot });
    idIn(document, slot);
    return provedRefused(await this.#sts.said(document, call));
  }

  async destroy(change: FencedChange, call: Call): Promise<Applied> {
    const slot = slotIn(change);
    const { applied, seen } = await this.#claim(change, [], call);
    await removeFormer(this.#api, seen, slot, call);
    // A mint that was never heard of again may have made one too.
    await askAboutLost(this.#api, this.#account.user, seen, slot, call);
    await this.#api.tag([keyTag(slot, { state: "none" })], call);
    return applied;
  }

  async seize(change: FencedChange, call: Call): Promise<Applied> {
    slotIn(change);
    return (await this.#claim(change, [], call)).applied;
  }

  async close(): Promise<void> {
    this.#api.close();
  }

  async #claim(change: FencedChange, more: Parameters<typeof claim>[2], call: Call) {
    const look = async (frame: Call) => {
      const seen = await this.#look(frame);
      const { identity } = change;
      if (identity !== null && identity !== identityOf(seen, this.#config))
        throw new RekeyError(
          "wrong-server",
          `${this.#account.user} is not the user that the plan was made for.`,
        );
      return seen;
    };
    return claim({ api: this.#api, look, settleMs: this.#config.settle }, change, more, call);
  }

  /** Refuses a document of which AWS does not say that it is the user's. */
  async #insistOn(document: SecretDocument, slot: string, call: Call): Promise<void> {
    const said = await this.#said(document, call);
    if (said.includes("wrong")) throw anotherSecret(slot);
    if (said.includes("unknown"))
      throw new RekeyError("unreachable", `AWS has not heard everywhere of the access key of slot ${slot}.`);
  }

  async #said(document: SecretDocument, call: Call): Promise<("right" | "unknown" | "wrong")[]> {
    const said = await this.#sts.said(document, call);
    return said.map((one) => ("refused" in one ? one.refused : "right"));
  }

  async #look(call: Call): Promise<Seen> {
    const { user } = this.#account;
    const seen = await this.#api.user(call);
    if (seen === null) throw new RekeyError("unsupported", `There is no IAM user ${user} in the account.`);
    const records = recordsIn(seen.tags, [...seen.keys.keys()], this.#account);
    this.#slotOfKey = new Map(
      [...records].flatMap(([slot, record]) => {
        const id = keyOf(record);
        return id === null ? [] : [[id, slot]];
      }),
    );
    return { ...seen, slots: records };
  }
}

/** Names the user by AWS's own id: one that was deleted and made anew has another. */
function identityOf({ id }: UserSeen, { account }: IamConfig): string {
  return `aws-iam ${account} ${id}`;
}
