/**
 * A consumer in memory, whose instances misbehave on demand: they refuse to move, stay behind, flap, appear
 * between two listings. The protocol is tested against it before it meets a real one.
 */
import { RekeyError } from "../../domain/errors.js";
import type { Call, Consumer, InstanceSeen, ObserveRequest } from "../ports.js";

/** How an instance behaves when there is a new version. `flaps` shows the new and the old one in turn, `unsaid` waits for a person's word. */
export type Behaviour = "moves" | "refuses" | "idle" | "silent" | "unsaid" | "flaps";

/** One instance's switches; all may be changed between two calls. */
export interface MemoryInstance {
  behaviour: Behaviour;
  version: string | null;
}

/** What the fake is made of. `source` stands for the store: what it returns is taken up at each look, as a poller would. */
export interface MemoryOptions {
  readonly version?: string | null;
  readonly instances?: readonly string[];
  readonly source?: () => string | null;
}

/** The fake itself, with its switches. */
export class MemoryConsumer implements Consumer {
  /** The instances by name; add, change and delete freely. */
  readonly instances = new Map<string, MemoryInstance>();
  /** Names that appear right after the next listing was taken. */
  readonly appearing: string[] = [];
  /** While true there is no listing at all. */
  unlisted = false;
  /** How often each was called. */
  readonly calls = { deliver: 0, observe: 0 };
  readonly #source: (() => string | null) | undefined;
  #flip = false;

  constructor(options: MemoryOptions = {}) {
    this.#source = options.source;
    for (const name of options.instances ?? ["one", "two"]) this.add(name, options.version ?? null);
  }

  /** Adds an instance that holds the version and moves when it is told. */
  add(name: string, version: string | null, behaviour: Behaviour = "moves"): void {
    this.instances.set(name, { behaviour, version });
  }

  /** Changes the behaviour of one instance, or of all. */
  behave(behaviour: Behaviour, name?: string): void {
    for (const [each, instance] of this.instances) {
      if (name === undefined || name === each) instance.behaviour = behaviour;
    }
  }

  preflight = async () => [];

  async deliver({ version }: { version: string }, call: Call): Promise<void> {
    this.#refuseWhenOver(call);
    this.calls.deliver++;
    this.#move(version);
  }

  async observe(request: ObserveRequest, call: Call): Promise<InstanceSeen[]> {
    this.#refuseWhenOver(call);
    this.calls.observe++;
    const version = this.#source?.();
    if (version != null) this.#move(version);
    this.#flip = !this.#flip;
    const seen = [...this.instances].map(([name, instance]) => this.#look(name, instance, request));
    for (const name of this.appearing.splice(0)) this.add(name, version ?? null);
    return seen;
  }

  close = async () => {};

  #refuseWhenOver(call: Call): void {
    if (call.signal.aborted || this.unlisted) {
      throw new RekeyError("unreachable", "The listing of instances could not be had.");
    }
  }

  #move(version: string): void {
    for (const instance of this.instances.values()) {
      if (instance.behaviour !== "refuses") instance.version = version;
    }
  }

  #look(name: string, { behaviour, version }: MemoryInstance, request: ObserveRequest): InstanceSeen {
    const known = request.candidates.map((candidate) => candidate.version);
    const other = known.find((candidate) => candidate !== version) ?? null;
    const held = behaviour === "flaps" && this.#flip ? other : version;
    if (behaviour === "unsaid") {
      return { instance: name, version: null, working: true, sentence: "Nobody has said what it holds." };
    }
    if (behaviour === "silent" || held === null || !known.includes(held)) {
      return { instance: name, version: null, working: false, sentence: `${name} cannot say what it holds.` };
    }
    return {
      instance: name,
      version: held,
      working: behaviour !== "idle",
      sentence: `${name} holds ${held}.`,
    };
  }
}
