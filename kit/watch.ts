/**
 * Holds the credential in use and takes up a new one without a restart. It never goes back to nothing: while
 * the store is down, or what it holds cannot be read or adopted, the last good credential stays.
 */
import type { Credential } from "./credential.js";
import { type Load, load, within } from "./load.js";
import { every, onFile, onSignals } from "./triggers.js";
import { asTrouble, Trouble } from "./trouble.js";

/** Where to read and when to look again. Several triggers may be combined; `reload()` works in any case. */
export interface WatchOptions {
  readonly load: Load;
  /** Milliseconds between two looks, 30 s unless said otherwise; 0 for none. */
  readonly intervalMs?: number;
  /** Share by which each pause may differ, 0.2 unless said otherwise. */
  readonly jitter?: number;
  /** A file whose change is a reason to look at once. */
  readonly file?: string;
  /** Signals that are a reason to look at once, for example `["SIGHUP"]`. */
  readonly signals?: readonly NodeJS.Signals[];
  /** For one read together with its adoption, 10 s unless said otherwise. */
  readonly timeoutMs?: number;
}

/** What a preparation made: `commit` may not fail; `discard` is called instead when the change does not happen. */
export interface Prepared {
  commit?(): void;
  discard?(): void;
}

/** Gets ready for a credential. When it throws, the process stays on the one that it has. */
export type Prepare = (next: Credential, current: Credential) => Promise<Prepared | undefined>;

/** Reads the first credential and keeps it up to date. Throws `Trouble` when there is none to begin with. */
export async function watch(options: WatchOptions): Promise<CredentialWatch> {
  const first = await load(options.load, {
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  });
  return new CredentialWatch(first, options);
}

/** The credential in use. Made by `watch`. */
export class CredentialWatch {
  #current: Credential;
  #since = Date.now();
  #working = false;
  #running: Promise<Credential> | null = null;
  #queued: Promise<Credential> | null = null;
  readonly #options: WatchOptions;
  readonly #preparations = new Set<Prepare>();
  readonly #changeListeners = new Set<(current: Credential) => void>();
  readonly #troubleListeners = new Set<(trouble: Trouble) => void>();
  readonly #closing = new AbortController();
  readonly #stops: (() => void)[] = [];

  constructor(first: Credential, options: WatchOptions) {
    this.#current = first;
    this.#options = options;
    const look = () => this.reload();
    const intervalMs = options.intervalMs ?? 30_000;
    if (intervalMs > 0) this.#stops.push(every(intervalMs, options.jitter ?? 0.2, look));
    if (options.file !== undefined) this.#stops.push(onFile(options.file, look));
    if (options.signals?.length) this.#stops.push(onSignals(options.signals, look));
  }

  /** The credential to use now. Ask each time; do not keep it. */
  get current(): Credential {
    return this.#current;
  }

  /** When the current one was adopted, in milliseconds since the epoch. */
  get since(): number {
    return this.#since;
  }

  /** True once something succeeded with the current credential, and nothing was refused since (H39). */
  get working(): boolean {
    return this.#working;
  }

  /**
   * Looks at the store now. Resolves with the credential in use afterwards and never rejects. A look that is
   * under way may have read before the change that the caller means, so another one follows it; any number of
   * callers share that one.
   */
  reload(): Promise<Credential> {
    if (this.#closing.signal.aborted) return Promise.resolve(this.#current);
    if (this.#running === null) return this.#begin();
    this.#queued ??= this.#running.then(() => {
      this.#queued = null;
      return this.#begin();
    });
    return this.#queued;
  }

  /** Registers what must succeed before a new credential is adopted. Returns the function that takes it back. */
  beforeChange(prepare: Prepare): () => void {
    return register(this.#preparations, prepare);
  }

  /** Called after each change. Returns the function that takes it back. */
  onChange(listener: (current: Credential) => void): () => void {
    return register(this.#changeListeners, listener);
  }

  /** Called when a look failed; its text holds no value and may be logged. Returns the function that takes it back. */
  onTrouble(listener: (trouble: Trouble) => void): () => void {
    return register(this.#troubleListeners, listener);
  }

  /** Call it when a request succeeded that used this credential. One that is no longer current counts for nothing. */
  reportWorking(used: Credential): void {
    if (used === this.#current) this.#working = true;
  }

  /** Call it when this credential was refused. */
  reportFailing(used: Credential): void {
    if (used === this.#current) this.#working = false;
  }

  /** Ends the triggers and a look that is under way. The current credential stays readable. */
  close(): void {
    this.#closing.abort();
    for (const stop of this.#stops.splice(0)) stop();
  }

  #begin(): Promise<Credential> {
    this.#running = this.#look().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #look(): Promise<Credential> {
    const signal = AbortSignal.any([
      AbortSignal.timeout(this.#options.timeoutMs ?? 10_000),
      this.#closing.signal,
    ]);
    try {
      const next = await within(signal, this.#options.load(signal));
      if (!next.equals(this.#current)) await this.#adopt(next, signal);
    } catch (error) {
      const trouble = asTrouble(error, "unreachable", "The credential could not be read from its store.");
      if (!this.#closing.signal.aborted) for (const listener of this.#troubleListeners) listener(trouble);
    }
    return this.#current;
  }

  /** Everything is prepared before anything is committed, so that no part of the process is on another version. */
  async #adopt(next: Credential, signal: AbortSignal): Promise<void> {
    const ready: Prepared[] = [];
    try {
      for (const prepare of this.#preparations) {
        const work = prepare(next, this.#current);
        // What gets ready after the deadline is taken apart again; nobody waits for it any more.
        work.then((late) => signal.aborted && late?.discard?.()).catch(() => {});
        const prepared = await within(signal, work);
        if (prepared) ready.push(prepared);
      }
      signal.throwIfAborted();
    } catch {
      for (const prepared of ready) prepared.discard?.();
      throw new Trouble("not-adopted", "A new credential was read and could not be taken up.");
    }
    for (const prepared of ready) prepared.commit?.();
    this.#current = next;
    this.#since = Date.now();
    this.#working = false;
    for (const listener of this.#changeListeners) listener(next);
  }
}

function register<T>(set: Set<T>, entry: T): () => void {
  set.add(entry);
  return () => set.delete(entry);
}
