/**
 * PostgreSQL as an issuer: two permanent logins that are members of one owning group take turns, so that two
 * versions are valid side by side and sessions tell which one they hold (protocol.md, two-accounts).
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
import { doAtEveryNode } from "../shared/every-node.js";
import { paceOf } from "../shared/pace.js";
import type { PgEndpoint } from "../shared/pg.js";
import { Nodes } from "../shared/pg-nodes.js";
import { makeChange } from "./postgres/change.js";
import { checkFacts } from "./postgres/checks.js";
import { accountSchema, configSchema, type PostgresAccount, type PostgresConfig } from "./postgres/config.js";
import { preflightFacts } from "./postgres/facts.js";
import { postgresGrants } from "./postgres/grants.js";
import { proveAtNodes, proveRefusedAtNodes, type Value } from "./postgres/prove.js";
import { positionNow, waitForReplay } from "./postgres/replay.js";
import { saltBytes, scramVerifier } from "./postgres/scram.js";
import { endSessions, type FirstSeen } from "./postgres/sessions.js";
import { slotsAtPrimary, surveyNodes } from "./postgres/survey.js";
import { poolersOf, proveRefusedThrough, proveThrough } from "./postgres/through.js";

/** Length in bytes of a generated value: as much as SHA-256 can keep. */
const valueBytes = 32;

const traits: IssuerTraits = {
  overlap: "two-accounts",
  sessionsTellVersions: true,
  capacity: 2,
  valueBy: "engine",
  disableReversible: true,
  derives: [{ what: "sessions", maxLifeMs: null, endedByDisable: true }],
  // Every step that relies on a standby waits until that standby has replayed the change.
  propagationMs: 0,
};

/** The kind's entry in the registry. */
export const postgres: IssuerKind<typeof configSchema, typeof accountSchema> = {
  traits,
  config: configSchema,
  account: accountSchema,
  create: (config, account, deps) => new PostgresIssuer(config, account, deps),
  lockKeys: ({ host, port }, { group, logins }) =>
    [group, ...logins].map((role) => `postgres ${host}:${port} role ${role}`),
  shownAs: ({ group, logins }) => [...logins, group],
  grants: postgresGrants,
};

class PostgresIssuer implements Issuer {
  readonly traits: IssuerTraits;
  readonly #config: PostgresConfig;
  readonly #account: PostgresAccount;
  readonly #deps: AdapterDeps;
  readonly #nodes: Nodes;
  readonly #poolers: readonly PgEndpoint[];
  readonly #firstSeen: FirstSeen = new Map();

  constructor(config: PostgresConfig, account: PostgresAccount, deps: AdapterDeps) {
    if (account.logins.includes(account.group)) {
      throw new RekeyError("bad-input", `${account.group} cannot be the group and one of its own logins.`);
    }
    this.traits = { ...traits, capacity: account.logins.length };
    this.#config = config;
    this.#account = account;
    this.#deps = deps;
    this.#nodes = new Nodes(config, deps);
    this.#poolers = poolersOf(config);
  }

  async preflight(call: Call): Promise<Finding[]> {
    return checkFacts(await preflightFacts(this.#nodes, this.#account, call), this.#config, this.#account);
  }

  survey(call: Call): Promise<IssuerView> {
    return surveyNodes(this.#nodes, this.#account, call);
  }

  slots(call: Call): Promise<readonly Slot[]> {
    return slotsAtPrimary(this.#nodes, this.#account, call);
  }

  slotOf(document: SecretDocument): string | null {
    const name = document.username?.reveal();
    return name !== undefined && this.#has(name) ? name : null;
  }

  generate(slot: string): SecretDocument {
    this.#known(slot);
    const value = Buffer.from(this.#deps.random(valueBytes)).toString("base64url");
    return { username: new Secret(slot), password: new Secret(value) };
  }

  async enable(change: FencedChange, document: SecretDocument, call: Call): Promise<Applied> {
    const { password } = this.#value(change.slot, document);
    const verifier = await scramVerifier(password.reveal(), this.#deps.random(saltBytes));
    return makeChange(this.#nodes, change, { step: "enable", canLogin: true, verifier }, call);
  }

  async prove(slot: string, document: SecretDocument, call: Call): Promise<NodeProof[]> {
    const value = this.#value(slot, document);
    const atNodes = await proveAtNodes(this.#nodes, this.#account, value, call);
    return [...atNodes, ...(await proveThrough(this.#nodes, this.#poolers, this.#account, value, call))];
  }

  /** NOLOGIN, then the sessions, then a random verifier: a session that was still open may have set a password of its own (H12). */
  async disable(change: FencedChange, call: Call): Promise<Applied> {
    this.#known(change.slot);
    const applied = await makeChange(this.#nodes, change, { step: "disable", canLogin: false }, call);
    await this.#endSessions(change, call);
    const nobodys = Buffer.from(this.#deps.random(valueBytes)).toString("base64url");
    const verifier = await scramVerifier(nobodys, this.#deps.random(saltBytes));
    const scrambled = { ...change, expect: formatTag(change.tag) };
    await makeChange(this.#nodes, scrambled, { step: "scramble", canLogin: false, verifier }, call);
    return applied;
  }

  async proveRefused(slot: string, document: SecretDocument, call: Call): Promise<NodeProof[]> {
    const value = this.#value(slot, document);
    const atNodes = await proveRefusedAtNodes(this.#nodes, value, call);
    return [...atNodes, ...(await proveRefusedThrough(this.#poolers, value, call))];
  }

  /** The login stays, without a password and switched off; dropping it would fail or take tables with it (H36). */
  async destroy(change: FencedChange, call: Call): Promise<Applied> {
    this.#known(change.slot);
    const effect = { step: "destroy", canLogin: false, clear: true } as const;
    const applied = await makeChange(this.#nodes, change, effect, call);
    await this.#endSessions(change, call);
    return applied;
  }

  async seize(change: FencedChange, call: Call): Promise<Applied> {
    this.#known(change.slot);
    return makeChange(this.#nodes, change, { step: "seize", canLogin: null }, call);
  }

  close(): Promise<void> {
    return this.#nodes.close();
  }

  async #endSessions(change: FencedChange, call: Call): Promise<void> {
    const lsn = await positionNow(this.#nodes, call);
    const tag = formatTag(change.tag);
    const pace = paceOf(change.urgent === true, this.#deps.random);
    await doAtEveryNode(this.#nodes.all, async (node) => {
      await waitForReplay(this.#nodes, node, lsn, call);
      await endSessions(this.#nodes, node, change.slot, tag, this.#firstSeen, pace, call);
    });
  }

  /** The former login counts as one of its own slots until its last version is destroyed (H14). */
  #has(name: string): boolean {
    return name === this.#account.group || this.#account.logins.includes(name);
  }

  #known(slot: string): void {
    if (!this.#has(slot)) {
      throw new RekeyError("bad-input", `${slot} is not a login of the account ${this.#account.group}.`);
    }
  }

  /** User name and password of a document, as one (H34). Throws `value-missing` where it lacks one of them. */
  #value(slot: string, document: SecretDocument): Value {
    this.#known(slot);
    const { username, password } = document;
    if (username === undefined || password === undefined) {
      throw new RekeyError("value-missing", `The document for ${slot} lacks the user name or the password.`);
    }
    if (username.reveal() !== slot) {
      throw new RekeyError("bad-input", `The document for ${slot} names another login.`);
    }
    return { username: slot, password };
  }
}
