/**
 * Redis as an issuer: one ACL user with room for several passwords. Two versions are valid side by side under one
 * name, so sessions do not tell which one they hold (protocol.md, several-secrets; H23).
 */
import { createHash } from "node:crypto";
import { RekeyError } from "../../domain/errors.js";
import { formatTag } from "../../domain/fence.js";
import type { Finding } from "../../domain/finding.js";
import type { IssuerTraits } from "../../domain/kinds.js";
import { Secret } from "../../domain/secret.js";
import type {
  AdapterDeps,
  Applied,
  Call,
  EndsBefore,
  FencedChange,
  Issuer,
  IssuerKind,
  IssuerView,
  NodeProof,
  SecretDocument,
  Slot,
} from "../ports.js";
import { doAtEveryNode } from "../shared/every-node.js";
import { Nodes } from "../shared/redis-nodes.js";
import { type Changed, type Effect, makeChange } from "./redis/change.js";
import { preflight } from "./redis/checks.js";
import { accountSchema, configSchema, type RedisAccount, type RedisConfig, slotsOf } from "./redis/config.js";
import { redisGrants } from "./redis/grants.js";
import { loginEverywhere, type Value } from "./redis/prove.js";
import { endOlder, endSessions } from "./redis/sessions.js";
import { slotsSeen, surveyNodes } from "./redis/survey.js";
import { prepared, recordOf, userAt } from "./redis/user.js";

/** Length in bytes of a generated value: as much as SHA-256 can keep. */
const valueBytes = 32;
/** A value of ours names its slot; any other was there before and belongs to the first. */
const ownValue = /^rk([1-9])_[\w-]{43}$/;

const traits: IssuerTraits = {
  overlap: "several-secrets",
  sessionsTellVersions: false,
  capacity: 3,
  valueBy: "engine",
  disableReversible: true,
  derives: [{ what: "sessions", maxLifeMs: null, endedByDisable: true }],
  // Every node is changed, saved and read back by itself.
  propagationMs: 0,
};

/** The kind's entry in the registry. */
export const redis: IssuerKind<typeof configSchema, typeof accountSchema> = {
  traits,
  config: configSchema,
  account: accountSchema,
  create: (config, account, deps) => new RedisIssuer(config, account, deps),
  lockKeys: ({ nodes }, { user }) => nodes.map(({ host, port }) => `redis ${host}:${port} user ${user}`),
  shownAs: ({ user }) => [user],
  grants: redisGrants,
};

class RedisIssuer implements Issuer {
  readonly traits: IssuerTraits;
  readonly #config: RedisConfig;
  readonly #account: RedisAccount;
  readonly #deps: AdapterDeps;
  readonly #nodes: Nodes;
  readonly #random = () => Buffer.from(this.#deps.random(4)).readUInt32BE() / 2 ** 32;

  constructor(config: RedisConfig, account: RedisAccount, deps: AdapterDeps) {
    this.traits = { ...traits, capacity: account.slots };
    this.#config = config;
    this.#account = account;
    this.#deps = deps;
    this.#nodes = new Nodes(config, deps);
  }

  preflight(call: Call): Promise<Finding[]> {
    return preflight(this.#nodes, this.#config, this.#account, call);
  }

  survey(call: Call): Promise<IssuerView> {
    return surveyNodes(this.#nodes, this.#account, call);
  }

  slots(call: Call): Promise<readonly Slot[]> {
    return slotsSeen(this.#nodes, this.#account, call);
  }

  slotOf(document: SecretDocument): string | null {
    if (document.username?.reveal() !== this.#account.user) return null;
    const [, own = "1"] = ownValue.exec(document.password?.reveal() ?? "") ?? [];
    return slotsOf(this.#account)[Number(own) - 1] ?? null;
  }

  generate(slot: string): SecretDocument {
    const value = Buffer.from(this.#deps.random(valueBytes)).toString("base64url");
    return {
      username: new Secret(this.#account.user),
      password: new Secret(`rk${this.#number(slot)}_${value}`),
    };
  }

  /** Only the value's hash is sent, and never the value (H33). */
  async enable(change: FencedChange, document: SecretDocument, call: Call): Promise<Applied> {
    const { password } = this.#value(change.slot, document);
    const hash = createHash("sha256").update(password.reveal()).digest("hex");
    return (await this.#change(change, { does: "accept", hash }, call)).applied;
  }

  prove(slot: string, document: SecretDocument, call: Call): Promise<NodeProof[]> {
    return this.#login(slot, document, "in", call);
  }

  /**
   * The password goes, then every session that began before: any of them may have been opened with it. While a node is
   * away both are done at the others, and the outcome is unknown.
   */
  async disable(change: FencedChange, call: Call): Promise<Applied> {
    const [cut] = await Promise.allSettled([this.#change(change, { does: "cut" }, call)]);
    if (cut.status === "fulfilled") {
      await this.#endSessions(change, call);
      return cut.value.applied;
    }
    const isDoneInPart = cut.reason instanceof RekeyError && cut.reason.code === "unknown-outcome";
    if (isDoneInPart) await Promise.allSettled([this.#endSessions(change, call)]);
    throw cut.reason;
  }

  async renew(endsBefore: EndsBefore, call: Call): Promise<void> {
    const { user } = this.#account;
    const { at } = await this.survey(call);
    await Promise.all(
      this.#nodes.all.map((node) => endOlder(this.#nodes, node, user, endsBefore, at, this.#random, call)),
    );
  }

  proveRefused(slot: string, document: SecretDocument, call: Call): Promise<NodeProof[]> {
    return this.#login(slot, document, "refused", call);
  }

  /** The user stays, with the slot's record; what was disabled holds no password and no session any more (H36). */
  async destroy(change: FencedChange, call: Call): Promise<Applied> {
    const { applied, hadValue } = await this.#change(change, { does: "cut" }, call);
    if (hadValue) await this.#endSessions(change, call);
    return applied;
  }

  async seize(change: FencedChange, call: Call): Promise<Applied> {
    return (await this.#change(change, { does: "tag" }, call)).applied;
  }

  close(): Promise<void> {
    return this.#nodes.close();
  }

  async #change(change: FencedChange, effect: Effect, call: Call): Promise<Changed> {
    return makeChange(this.#nodes, this.#account.user, this.#number(change.slot), change, effect, call);
  }

  async #endSessions(change: FencedChange, call: Call): Promise<void> {
    const { user } = this.#account;
    const tag = formatTag(change.tag);
    await doAtEveryNode(this.#nodes.all, (node) => {
      const holds = async () => {
        const at = prepared(await userAt(this.#nodes, node, user, call), node, user);
        if (recordOf(at, this.#number(change.slot), user).tag === tag) return;
        throw new RekeyError(
          "fenced",
          `${change.slot} carries another tag at ${node.name}; its sessions are left alone.`,
        );
      };
      return endSessions(this.#nodes, node, user, holds, this.#random, call);
    });
  }

  async #login(
    slot: string,
    document: SecretDocument,
    wanted: "in" | "refused",
    call: Call,
  ): Promise<NodeProof[]> {
    return loginEverywhere(this.#nodes, this.#value(slot, document), wanted, call);
  }

  /** The slot's number, from 1. Throws `bad-input` for one of another account. */
  #number(slot: string): number {
    const index = slotsOf(this.#account).indexOf(slot);
    if (index < 0)
      throw new RekeyError("bad-input", `${slot} is not a slot of the user ${this.#account.user}.`);
    return index + 1;
  }

  /** User name and password of a document, as one (H34). Throws `value-missing` where it lacks one of them. */
  #value(slot: string, document: SecretDocument): Value {
    this.#number(slot);
    const { username, password } = document;
    if (username === undefined || password === undefined) {
      throw new RekeyError("value-missing", `The document for ${slot} lacks the user name or the password.`);
    }
    if (this.slotOf(document) !== slot) {
      throw new RekeyError("bad-input", `The document for ${slot} belongs to another user or slot.`);
    }
    return { user: this.#account.user, password };
  }
}
