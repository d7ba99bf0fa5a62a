/** One run of a rotation: its state, the steps under way, and what wakes it. */
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from "@temporalio/workflow";
import { decide } from "../domain/decide.js";
import { RekeyError } from "../domain/errors.js";
import { isOutgrown, lookMsMaxOf } from "../domain/renewal.js";
import type { RotationEvent } from "../domain/rotation/events.js";
import { foldAll } from "../domain/rotation/fold.js";
import type { RotationState } from "../domain/rotation/state.js";
import { changes, type Decision, type Step } from "../domain/rotation/steps.js";
import type { RotationResult } from "../domain/rotation/work.js";
import { discoverDue } from "./discover.js";
import type { RotateInput, TimelineEntry } from "./messages.js";
import { codeOf, sentenceOfFailure, workFor } from "./proxies.js";
import { phaseOf, sentenceOf } from "./sentences.js";

/** How long one look at the world lasts at most, so that a lost worker is noticed and history stays short. */
const lookMsMax = 5 * 60_000;
/** How long the first one lasts: most consumers move in that time; for the others people want to read whom it waits for. */
const firstLookMsMax = 1_000;
/** A longer wait is begun anew: timers have a limit, and a freeze may have none. */
const waitMsMax = 30 * 24 * 60 * 60_000;
/** After so long the reading of a source is asked for again. */
const readAgainMs = 60_000;
const timelineMax = 200;
/** After so many steps that changed nothing a run no longer trusts its own memory. */
const idleStepsMax = 4;

/** The mutable side of the loop. Only workflow code touches it, one turn at a time. */
export class Run {
  readonly #input: RotateInput;
  #state: RotationState | null = null;
  #timeline: TimelineEntry[] = [];
  /** How far the workers' clock, by which events are dated, is ahead of Temporal's (H38). */
  #skewMs = 0;
  /** How many steps in a row changed nothing. */
  #idleSteps = 0;
  /** Counts messages, so that a wait ends when one has changed the state. */
  #woken = 0;
  /** The look under way; `cut` once a message has ended it. */
  #look: { readonly scope: CancellationScope; cut: boolean } | null = null;
  /** When the reading of a source was asked for last, and for what it is to show, by its id. */
  readonly #asked = new Map<string, { readonly at: number; readonly tellsFrom: number }>();
  /** The phase that the search attributes show; the client starts every rotation as `planning`. */
  #shown = "planning";
  /** Temporal's own cancel is being recorded; it is no message, so Temporal does not count it among the handlers. */
  beingCancelled = false;
  takenOver = false;
  /** This run came out of a reset: what it remembers is from before, and it has to adopt the rotation anew (H7). */
  reopen = false;
  /** Another run is due, and messages under way put it off: it follows as soon as they are answered. */
  putOff = false;

  constructor(input: RotateInput) {
    this.#input = input;
    this.#timeline = [...(input.continued?.timeline ?? [])];
  }

  /** Takes the lock and the state: a new rotation, the adoption of an open one, or the run before this one's. */
  async #opened(): Promise<void> {
    const { credential, requestedBy, reason, emergency, remove, continued } = this.#input;
    const opened = await this.#timed(
      "open",
      () =>
        workFor(null, this.#isUrgent).open({
          credential,
          requestedBy,
          reason,
          emergency: emergency ?? null,
          continuedFrom: workflowInfo().continuedFromExecutionRunId ?? null,
          firstRunId: workflowInfo().firstExecutionRunId,
          ...(remove === undefined ? {} : { remove }),
        }),
      ({ state }) =>
        state.closed === null
          ? "The rotation is open and holds its lock."
          : `The rotation had been closed before: ${state.closed}.`,
    );
    // A continued run keeps its facts, unless somebody else has adopted the rotation in between. That it is one is in
    // the records: anybody can start a run with a state of their own making (H7).
    const { continued: isContinued = true } = opened;
    const handedOn = isContinued && continued?.state.epoch === opened.state.epoch && !this.reopen;
    this.#state = handedOn ? continued.state : opened.state;
    this.reopen = false;
    this.#measureSkew(opened.at);
  }

  /** Opens what it, or the run before it, held before, and ends where another workflow has taken that over. */
  async open(): Promise<void> {
    const before = this.#state ?? this.#input.continued?.state ?? null;
    try {
      await this.#opened();
    } catch (failure) {
      if (before === null || codeOf(failure) !== "superseded") throw failure;
      this.#state = before;
      this.note("failed", sentenceOfFailure(failure));
      this.takenOver = true;
    }
  }

  get #isUrgent(): boolean {
    const { emergency, continued } = this.#input;
    return emergency !== undefined || ((this.#state ?? continued?.state)?.emergency ?? null) !== null;
  }

  get credential(): string {
    return this.#input.credential;
  }

  /** True once there is a state to talk about. */
  get ready(): boolean {
    return this.#state !== null;
  }

  get state(): RotationState {
    if (this.#state === null) throw new RekeyError("internal", "The rotation is not open yet.");
    return this.#state;
  }

  get timeline(): readonly TimelineEntry[] {
    return this.#timeline;
  }

  /** Now, on the clock by which events are dated. */
  now(): number {
    return Date.now() + this.#skewMs;
  }

  decide(): Decision {
    return decide(this.state, this.now());
  }

  /** True where nothing is left to do for it: another run of it would take the rotation back from whoever has it now. */
  get over(): boolean {
    return this.takenOver || this.state.closed !== null;
  }

  /** True where what this run is sealed with is about to be taken away: another one has to go on with it. */
  get outgrown(): boolean {
    return isOutgrown(this.state, this.#begunAt(), this.now());
  }

  #begunAt(): number {
    return workflowInfo().runStartTime.getTime() + this.#skewMs;
  }

  /** Has one step done. Whatever comes of it, also nothing, is in the state afterwards. */
  async take(step: Step): Promise<void> {
    if (step.do === "survey") return this.#lookAround(firstLookMsMax);
    const state = this.state;
    // The end is shown when it has come; one event for both.
    if (step.do !== "close") this.show();
    await CancellationScope.nonCancellable(async () => {
      try {
        const work = workFor(step, this.#isUrgent);
        const { events } = await this.#timed(
          step.do,
          () => work[step.do]({ state, step }),
          (result) => sentenceOf(step, result.events),
        );
        this.fold(events);
        if (events.some((event) => event.type !== "surveyed")) this.#idleSteps = 0;
        else await this.#rest();
      } catch (failure) {
        this.#failed(state, step, failure);
      }
    });
  }

  /**
   * The world, or what is recorded, did not allow the step after all. Should it go on not to, looking at it more slowly
   * harms nobody; and what this run believes may not be what is recorded, so it takes its state from there once more.
   */
  async #rest(): Promise<void> {
    this.#idleSteps += 1;
    if (this.#idleSteps % idleStepsMax === 0) this.reopen = true;
    if (this.#idleSteps > 1) await sleep(this.state.policy.retryDelayMs);
  }

  /** Waits for the time, for a message, or, where the world has to be watched, for something to change there. */
  async wait(until: number | null, watch: boolean): Promise<void> {
    this.show();
    if (watch) return this.#lookAround(lookMsMaxOf(this.state, this.#begunAt(), lookMsMax));
    const woken = this.#woken;
    const changed = () => this.#woken !== woken || (this.putOff && this.quiet);
    if (until === null) await condition(changed);
    else await condition(changed, Math.min(waitMsMax, Math.max(1, until - this.now())));
  }

  /** Looks until there is something to do; how long that may take at most is between the look and its worker. */
  async #lookAround(msMax: number): Promise<void> {
    await this.#haveSourcesRead();
    // A source that is waited for is asked again after a while, and nothing else would end the look for that.
    const isRead = (this.state.unread ?? []).length === 0;
    const until = this.now() + (isRead ? msMax : Math.min(msMax, readAgainMs));
    const state = this.state;
    const look = { scope: new CancellationScope({ cancellable: true }), cut: false };
    this.#look = look;
    try {
      const { events } = await look.scope.run(() =>
        workFor({ do: "survey" }, this.#isUrgent).look({ state, until }),
      );
      this.fold(events);
    } catch (failure) {
      // A message cut the look short: what it changed decides what happens next. Any other end is a failure, and paced.
      if (!(look.cut && isCancellation(failure))) this.#failed(state, { do: "survey" }, failure);
    } finally {
      this.#look = null;
    }
  }

  /**
   * Before a version is taken away its sources are read. The reading is another workflow's, which may be under way already;
   * what comes of it is seen by the next look, and one that fails is asked for again.
   */
  async #haveSourcesRead(): Promise<void> {
    for (const { id, name, tellsFrom = 0 } of this.state.unread ?? []) {
      // Sooner it could not show all.
      if (this.now() < tellsFrom) continue;
      const asked = this.#asked.get(id);
      if (asked?.tellsFrom === tellsFrom && this.now() - asked.at < readAgainMs) continue;
      this.#asked.set(id, { at: this.now(), tellsFrom });
      if (await discoverDue(name, id)) this.note("read", `The source ${name} is being read.`);
    }
  }

  /** Folds events that a step or a message made, and wakes the loop. */
  fold(events: readonly RotationEvent[]): void {
    this.#state = foldAll(this.state, events);
    const last = events.at(-1);
    if (last) this.#measureSkew(last.at);
    this.#woken += 1;
  }

  /** A message changed the state: a look that is under way looks for the wrong thing. */
  interrupt(): void {
    if (this.#look === null) return;
    this.#look.cut = true;
    this.#look.scope.cancel();
  }

  /**
   * A message that was asked in `epoch` was refused. Answers true once the rotation has been adopted anew since
   * then, so that the message can be asked again; nothing else would wake a run that waits for people (H7).
   */
  async adoptedSince(epoch: number, failure: unknown): Promise<boolean> {
    const isCurrent = this.state.epoch === epoch && !this.reopen;
    const code = codeOf(failure);
    // A rotation that has been closed meanwhile was closed by this run, which is about to hear of it.
    if (isCurrent && code !== "already-closed" && this.#heed(code)) {
      this.#woken += 1;
      this.interrupt();
    }
    await condition(() => !this.reopen || this.takenOver || this.state.closed !== null);
    return this.state.epoch !== epoch;
  }

  /**
   * True while nothing would be lost if another run took over. The walk never waits for that: a message may wait for a
   * store that is away, or for this very walk to adopt the rotation anew, and a leak must not wait for either (H24).
   */
  get quiet(): boolean {
    return allHandlersFinished() && !this.beingCancelled && !this.reopen;
  }

  /** Resolves once every message that has come is answered, so that none is lost at the end of this run. */
  async heard(): Promise<void> {
    await condition(() => allHandlersFinished() && !this.beingCancelled);
  }

  note(what: string, sentence: string, tookMs: number | null = null): void {
    this.#timeline.push({ at: this.now(), tookMs, what, sentence });
    if (this.#timeline.length > timelineMax) this.#timeline.splice(0, this.#timeline.length - timelineMax);
  }

  carriedOver(): RotateInput {
    return { ...this.#input, continued: { state: this.state, timeline: this.#timeline } };
  }

  result(): RotationResult {
    const { id, closed } = this.state;
    const reason = this.#timeline.at(-1)?.sentence ?? "";
    return { rotation: id, outcome: this.takenOver ? "taken-over" : (closed ?? "refused"), reason };
  }

  async #timed<T>(what: string, work: () => Promise<T>, sentence: (result: T) => string): Promise<T> {
    const begun = Date.now();
    const result = await work();
    this.note(what, sentence(result), Date.now() - begun);
    return result;
  }

  /** No attempt of the step came back with an answer: what it did, if anything, is not known here. */
  #failed(state: RotationState, step: Step, failure: unknown): void {
    this.#heed(codeOf(failure));
    const sentence = sentenceOfFailure(failure);
    this.note("failed", sentence);
    this.fold([
      {
        type: "failed",
        at: this.now(),
        step,
        change: changes(step) ? state.change + 1 : null,
        code: codeOf(failure),
        sentence,
        outcome: changes(step) ? "unknown" : "not-done",
        again: true,
      },
    ]);
  }

  /**
   * What a refusal says of this run itself. A newer epoch has the lock: then it can do nothing any more, and ends. Where
   * the rotation is another run's, or has been closed, opening it once more says how it stands.
   */
  #heed(code: string): boolean {
    if (code === "superseded") this.takenOver = true;
    if (code === "run-reset" || code === "already-closed") this.reopen = true;
    return this.takenOver || this.reopen;
  }

  #measureSkew(workerAt: number): void {
    this.#skewMs = workerAt - Date.now();
  }

  /** Shows the phase to searches; it names nobody (H40). Upserted only when it changes, for each costs an event. */
  show(): void {
    const phase = phaseOf(this.state);
    if (phase === this.#shown) return;
    this.#shown = phase;
    upsertSearchAttributes({ RekeyPhase: [phase], RekeyEmergency: [this.state.emergency !== null] });
  }
}
