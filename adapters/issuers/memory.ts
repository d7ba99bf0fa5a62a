/**
 * An issuer in memory for tests of everything above the port: a pair of logins with the promises of the real
 * one (same contract suite), sessions that can be opened and hidden, and failure on command.
 */
import { z } from "zod";
import { socketHost } from "../../domain/discovery/match.js";
import { RekeyError } from "../../domain/errors.js";
import { formatTag, parseTag } from "../../domain/fence.js";
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
import { orWhenOver } from "../shared/retry.js";

const memoryConfig = z.object({
  server: z.string().min(1).default("main").describe("Name of the server in memory."),
});

const memoryAccount = z.object({
  logins: z.array(z.string().min(1)).min(1).describe("The logins that take turns."),
});

/** A login. Tests may write the fields to play somebody with rights of their own. */
export interface MemoryLogin {
  value: string | null;
  enabled: boolean;
  tag: string;
  /** Its value was made here and is not known to be kept by anybody. */
  unkept?: boolean;
}

/** A session of a login; `hidden` ones show without a name until they are ended or unhidden (H4). */
export interface MemorySession {
  readonly login: string;
  readonly application: string;
  readonly at: number;
  hidden: boolean;
  alive: boolean;
}

/** The calls that a fault can name. */
export type MemoryMethod =
  | "preflight"
  | "survey"
  | "enable"
  | "mint"
  | "prove"
  | "disable"
  | "proveRefused"
  | "destroy"
  | "seize";

/** Switches; all off at first. A set that names a method keeps doing so until the test takes it out. */
export interface MemoryFaults {
  /** Every call fails with `unreachable` and does nothing. */
  unreachable: boolean;
  /** These never answer: they end with the call's signal, having done nothing. */
  readonly hang: Set<MemoryMethod>;
  /** These do their work and lose the answer: `unknown-outcome` for a change, `unreachable` for a read. */
  readonly loseAnswer: Set<MemoryMethod>;
  /** These fail with the error given and do nothing. */
  readonly fail: Map<MemoryMethod, RekeyError>;
  /** The next change waits here between being sent and being made: resolve it to let a late write land (H3). */
  holdWrite: Promise<void> | null;
  /** A value that was made waits here before it is handed over, or after it was kept: that is where a worker dies (H11). */
  holdMint: { readonly when: "made" | "kept"; readonly until: Promise<void> } | null;
  /** Proofs that a login works are refused for these logins, whatever their value. */
  readonly proofFails: Set<string>;
  /** A node has not heard yet that these logins were switched off: it lets their values in (H27). */
  readonly stillAccepts: Set<string>;
  /** The engine does not see its own mark, so its listing is no evidence (H21). */
  blind: boolean;
  /** What `preflight` finds. */
  findings: Finding[];
}

/** One server, as everybody who connects to it sees it. */
export interface MemoryServer {
  /** Change it to play a clone or a restored copy (H9). */
  identity: string;
  readonly logins: Map<string, MemoryLogin>;
  readonly sessions: MemorySession[];
  /** Logs in as a consumer does; `null` when the server refuses. */
  connect(login: string, value: string, application?: string): MemorySession | null;
}

/** A world of servers, the kind that serves them, and its switches. */
export interface MemoryIssuers {
  readonly kind: IssuerKind<typeof memoryConfig, typeof memoryAccount>;
  readonly faults: MemoryFaults;
  /** The server of that name; made empty when it is not there yet. */
  server(name?: string): MemoryServer;
  /** Calls so far, oldest first, as `method login`. */
  readonly calls: string[];
}

const traits: IssuerTraits = {
  overlap: "two-accounts",
  sessionsTellVersions: true,
  capacity: 2,
  valueBy: "engine",
  disableReversible: true,
  derives: [{ what: "sessions", maxLifeMs: null, endedByDisable: true }],
  propagationMs: 0,
};

/** What a provider declares that makes the value itself, in the place of the one before. */
export const inPlaceTraits: Partial<IssuerTraits> = {
  overlap: "none",
  capacity: 1,
  valueBy: "issuer",
  disableReversible: false,
};

/** A new, empty world, of a kind that differs in `more`. Issuers made by its kind share it, as processes share a server. */
export function memoryIssuers(more: Partial<IssuerTraits> = {}): MemoryIssuers {
  const servers = new Map<string, MemoryServer>();
  const faults: MemoryFaults = {
    unreachable: false,
    hang: new Set(),
    loseAnswer: new Set(),
    fail: new Map(),
    holdWrite: null,
    holdMint: null,
    proofFails: new Set(),
    stillAccepts: new Set(),
    blind: false,
    findings: [],
  };
  const server = (name = "main"): MemoryServer => {
    const there = servers.get(name) ?? emptyServer(name);
    servers.set(name, there);
    return there;
  };
  const calls: string[] = [];
  const kind: MemoryIssuers["kind"] = {
    traits: { ...traits, ...more },
    config: memoryConfig,
    account: memoryAccount,
    create: (config, account, deps) =>
      new MemoryIssuer({ kind, faults, server, calls }, config.server, account.logins, deps),
    lockKeys: (config, account) => account.logins.map((login) => `memory:${config.server}/${login}`),
  };
  return { kind, faults, server, calls };
}

function emptyServer(name: string): MemoryServer {
  const logins = new Map<string, MemoryLogin>();
  const sessions: MemorySession[] = [];
  const connect: MemoryServer["connect"] = (login, value, application = "") => {
    const known = logins.get(login);
    if (!known?.enabled || known.value !== value) return null;
    const session = { login, application, at: Date.now(), hidden: false, alive: true };
    sessions.push(session);
    return session;
  };
  return { identity: `memory/${name}`, logins, sessions, connect };
}

class MemoryIssuer implements Issuer {
  readonly traits: IssuerTraits;
  readonly mint?: NonNullable<Issuer["mint"]>;
  readonly #world: MemoryIssuers;
  readonly #server: MemoryServer;
  readonly #slots: readonly string[];
  readonly #deps: AdapterDeps;

  constructor(world: MemoryIssuers, server: string, slots: readonly string[], deps: AdapterDeps) {
    this.traits = { ...world.kind.traits, capacity: slots.length };
    if (this.traits.valueBy === "issuer") this.mint = (...given) => this.#mint(...given);
    this.#world = world;
    this.#server = world.server(server);
    this.#slots = slots;
    this.#deps = deps;
    for (const slot of slots) {
      if (!this.#server.logins.has(slot)) {
        this.#server.logins.set(slot, { value: null, enabled: false, tag: "" });
      }
    }
  }

  preflight(call: Call): Promise<Finding[]> {
    return this.#do("preflight", "", call, () => [...this.#world.faults.findings]);
  }

  survey(call: Call): Promise<IssuerView> {
    return this.#do("survey", "", call, () => ({
      identity: this.#server.identity,
      nodes: [{ node: "memory", role: "primary" as const }],
      slots: this.#slots.map((slot) => {
        const { tag, enabled, unkept } = this.#login(slot);
        return { slot, tag, enabled, ...(unkept ? { unkept } : {}) };
      }),
      sessions: this.#server.sessions
        .filter((session) => session.alive && (session.hidden || this.#slots.includes(session.login)))
        .map((session) => ({
          node: "memory",
          slot: session.hidden ? null : session.login,
          application: session.application,
          address: socketHost,
          count: 1,
          youngestAt: session.at,
          oldestAt: session.at,
        })),
      watermarkSeen: !this.#world.faults.blind,
      at: this.#deps.now(),
    }));
  }

  slotOf(document: SecretDocument): string | null {
    const name = document.username?.reveal();
    return name !== undefined && this.#slots.includes(name) ? name : null;
  }

  generate(slot: string): SecretDocument {
    this.#login(slot);
    const value = Buffer.from(this.#deps.random(32)).toString("base64url");
    return { username: new Secret(slot), password: new Secret(value) };
  }

  async enable(change: FencedChange, document: SecretDocument, call: Call): Promise<Applied> {
    const value = this.#value(change.slot, document);
    return this.#do("enable", change.slot, call, () =>
      this.#change(change, (login) => {
        // What the provider made cannot be set from outside; that it is known is all that can be said.
        if (this.traits.valueBy === "issuer" && login.value !== value)
          throw new RekeyError("conflict", `${change.slot} has another value than the one that was kept.`);
        login.value = value;
        login.enabled = true;
        login.unkept = false;
      }),
    );
  }

  #mint(
    change: FencedChange,
    keep: (document: SecretDocument) => Promise<void>,
    call: Call,
  ): Promise<Applied> {
    return this.#do("mint", change.slot, call, async () => {
      const { faults } = this.#world;
      const hold = faults.holdMint;
      faults.holdMint = null;
      const document = this.generate(change.slot);
      const applied = await this.#change(change, (login) => {
        login.value = document.password?.reveal() ?? null;
        login.enabled = true;
        login.unkept = true;
      });
      if (hold?.when === "made") await hold.until;
      await keep(document);
      if (hold?.when === "kept") await hold.until;
      this.#login(change.slot).unkept = false;
      return applied;
    });
  }

  async prove(slot: string, document: SecretDocument, call: Call): Promise<NodeProof[]> {
    const value = this.#value(slot, document);
    return this.#do("prove", slot, call, () => {
      const ok = this.#accepts(slot, value) && !this.#world.faults.proofFails.has(slot);
      return [{ node: "memory", ok, sentence: ok ? `logged in as ${slot}` : `refused ${slot}` }];
    });
  }

  disable(change: FencedChange, call: Call): Promise<Applied> {
    return this.#do("disable", change.slot, call, () => this.#switchOff(change));
  }

  async proveRefused(slot: string, document: SecretDocument, call: Call): Promise<NodeProof[]> {
    const value = this.#value(slot, document);
    return this.#do("proveRefused", slot, call, () => {
      const ok = !this.#accepts(slot, value) && !this.#world.faults.stillAccepts.has(slot);
      return [{ node: "memory", ok, sentence: ok ? `refused ${slot}` : `still accepts ${slot}` }];
    });
  }

  destroy(change: FencedChange, call: Call): Promise<Applied> {
    return this.#do("destroy", change.slot, call, () => this.#switchOff(change));
  }

  seize(change: FencedChange, call: Call): Promise<Applied> {
    return this.#do("seize", change.slot, call, () => this.#change(change, () => {}));
  }

  async close(): Promise<void> {}

  /** A value that is switched off is forgotten, so that switching on again always needs the stored one (H12). */
  async #switchOff(change: FencedChange): Promise<Applied> {
    const applied = await this.#change(change, (login) => {
      login.enabled = false;
      login.value = null;
    });
    for (const session of this.#server.sessions) {
      if (session.login === change.slot) session.alive = false;
    }
    return applied;
  }

  async #change(change: FencedChange, effect: (login: MemoryLogin) => void): Promise<Applied> {
    const login = this.#login(change.slot);
    const theirs = parseTag(change.expect);
    if (theirs && theirs.installation !== change.tag.installation) {
      throw new RekeyError("foreign-installation", `${change.slot} carries a tag of ${theirs.installation}.`);
    }
    const { faults } = this.#world;
    const hold = faults.holdWrite;
    faults.holdWrite = null;
    await hold;
    if (change.identity !== null && change.identity !== this.#server.identity) {
      throw new RekeyError("wrong-server", "The server has another identity than the plan's.");
    }
    const tag = formatTag(change.tag);
    if (login.tag === tag) return "already";
    if (login.tag !== change.expect) {
      const found = parseTag(login.tag);
      const code =
        found && found.installation !== change.tag.installation ? "foreign-installation" : "fenced";
      throw new RekeyError(code, `${change.slot} carries another tag than the expected one.`);
    }
    effect(login);
    login.tag = tag;
    return "applied";
  }

  #accepts(slot: string, value: string): boolean {
    const login = this.#login(slot);
    return login.enabled && login.value === value;
  }

  #login(slot: string): MemoryLogin {
    const login = this.#slots.includes(slot) ? this.#server.logins.get(slot) : undefined;
    if (login === undefined) throw new RekeyError("bad-input", `${slot} is not a login of this account.`);
    return login;
  }

  #value(slot: string, document: SecretDocument): string {
    this.#login(slot);
    const { username, password } = document;
    if (username === undefined || password === undefined) {
      throw new RekeyError("value-missing", `The document for ${slot} lacks the user name or the password.`);
    }
    if (username.reveal() !== slot) {
      throw new RekeyError("bad-input", `The document for ${slot} names another login.`);
    }
    return password.reveal();
  }

  async #do<T>(method: MemoryMethod, slot: string, call: Call, work: () => T | Promise<T>): Promise<T> {
    const { faults, calls } = this.#world;
    calls.push(`${method} ${slot}`.trim());
    const late = () => new RekeyError("unreachable", "The server did not answer in time.");
    if (call.signal.aborted || faults.unreachable) throw late();
    const failure = faults.fail.get(method);
    if (failure !== undefined) throw failure;
    if (faults.hang.has(method)) await orWhenOver(new Promise<never>(() => {}), call.signal, late);
    const changes = ["enable", "mint", "disable", "destroy", "seize"].includes(method);
    const lost = () =>
      changes ? new RekeyError("unknown-outcome", `The answer about ${slot} was lost.`) : late();
    const outcome = await orWhenOver(Promise.resolve(work()), call.signal, lost);
    if (faults.loseAnswer.has(method)) throw lost();
    return outcome;
  }
}
