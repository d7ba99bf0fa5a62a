/**
 * The frame of every change to the world: facts taken anew, the pure rule asked once more, the intent written,
 * the fenced change made, its outcome kept. No adapter is told to change anything outside this frame (I8), but to forget
 * what the recorded end of a rotation has given up.
 */
import type { Call } from "../adapters/ports.js";
import { needsSignOff } from "../domain/approval.js";
import type { Excluded } from "../domain/authority.js";
import { isContainment, mayAct } from "../domain/decide.js";
import { RekeyError } from "../domain/errors.js";
import type { FenceTag, TagState } from "../domain/fence.js";
import type { RotationEvent } from "../domain/rotation/events.js";
import { failedWith } from "../domain/rotation/failed.js";
import { fold } from "../domain/rotation/fold.js";
import type { RotationState } from "../domain/rotation/state.js";
import { needsFreshFacts, type Step } from "../domain/rotation/steps.js";
import type { StepRequest, StepResult } from "../domain/rotation/work.js";
import { mayGoUnlogged } from "../domain/unlogged.js";
import type { SignOffs } from "../inventory/burning.js";
import { appendEvent } from "../inventory/events.js";
import {
  type Intended,
  type IntendRequest,
  type Intent,
  intend,
  intentOf,
  settle,
} from "../inventory/intents.js";
import { asRekeyError, callWithin, framed } from "./calls.js";
import type { ActivityDeps, Systems } from "./deps.js";
import { foldLook } from "./plans.js";
import { type Held, heldBy, objectionToRecords, rememberedTags } from "./run-check.js";
import { speakersOf } from "./speakers.js";
import { survey } from "./survey.js";
import { excludedFor, surveyorFor } from "./surveyor.js";

/** With the change's own time it stays well below the activity's. */
const lookTimeoutMs = 10_000;

/** What a change is given: the state it acts on, its number, and the tag that it leaves. */
export interface Changing<S extends Step = Step> {
  readonly deps: ActivityDeps;
  readonly systems: Systems;
  readonly state: RotationState;
  readonly step: S;
  readonly change: number;
  /** Texts of the tags that the change expects, by slot or place; kept with the intent, the same for every attempt. */
  readonly expects: Readonly<Record<string, string>>;
  readonly call: Call;
  /** The tag of this change for a version. */
  readonly tag: (version: string, state: TagState) => FenceTag;
}

/** Makes the change and says what came of it. Throwing means that nothing was changed, unless `touched` was called. */
export type Performer<S extends Step> = (
  changing: Changing<S>,
  touched: () => void,
) => Promise<RotationEvent>;

/** The activity for a step of the kind `S`, from what performs it. */
export function changeActivity<S extends Step>(
  deps: ActivityDeps,
  expectsOf: (state: RotationState, step: S) => Readonly<Record<string, string>>,
  perform: Performer<S>,
): (request: StepRequest) => Promise<StepResult> {
  return ({ state: given, step }) =>
    framed(async () => {
      const { record, state } = await heldBy(deps, given);
      const change = state.change + 1;
      const earlier = await intentOf(deps.db, state.id, change);
      if (earlier) return { events: [await settleEarlier(deps, state, earlier)] };
      const restored = await objectionToRecords(deps, rememberedTags(given), mayGoUnlogged(state, step));
      if (restored !== null) return { events: [await refused(deps, state, step, restored)] };
      const systems = await deps.systems(state.credential);
      const events: RotationEvent[] = [];
      let current = state;
      // A leak that is revoked at once does not wait for whoever cannot be looked at (protocol.md, Emergency).
      if (needsFreshFacts(step) && !isContainment(state, step, deps.now())) {
        const look = await survey(await surveyorFor(deps, systems, state, record), state, callWithin());
        const folded = await foldLook(deps, state, look);
        events.push(folded.seen);
        current = folded.state;
      }
      if (!mayAct(current, step, deps.now())) return { events };
      const unlogged = mayGoUnlogged(current, step);
      const silence = unlogged ? null : await deps.audit.objection();
      if (silence !== null) return { events: [...events, await refused(deps, state, step, silence)] };
      const changing = step as S;
      const expects = expectsOf(current, changing);
      const excluded = await excludedFor(deps, systems, record);
      const intended = await written(deps, {
        rotation: state.id,
        epoch: state.epoch,
        change,
        step,
        expects,
        at: deps.now(),
        ...(await signOffsFor(deps, current, step, systems, excluded)),
        leases: leasesFor(current, step),
        read: record.events.length,
      });
      // Somebody has said something meanwhile: the step is chosen again, by what they said.
      if (intended === null) return { events };
      if (intended instanceof RekeyError)
        return { events: [...events, await refused(deps, state, step, intended)] };
      // Another attempt was quicker: what it did, if anything, is not this one's to repeat.
      if (intended.repeated) return { events: [...events, await settleEarlier(deps, state, intended)] };
      // The intent is told before anything is sent; a log that is down stops what can wait, and nothing else (H31).
      const untold =
        (intended.entry && (await deps.audit.secure(intended.entry, unlogged))) ??
        (await unnoted(deps, intended, unlogged));
      const outcome = untold
        ? failedWith({ at: deps.now(), step, change, outcome: "not-done" }, untold)
        : await attempt(deps, systems, current, changing, change, expects, callWithin(), perform);
      const kept = await settleWith(deps, state, change, outcome);
      const after = await lookAfter(deps, systems, fold(current, kept), record, kept);
      return { events: [...events, kept, ...after] };
    });
}

/** Refusals of an intent that the walk has something to do about, or has to wait out. */
const answered: ReadonlySet<string> = new Set(["busy", "decision-refused", "restored"]);

/**
 * Notes outside that this intent is in the records, before anything is sent, so that records without it are
 * recognised (H32). Answers with the reason where that cannot be done; what may not wait for a log does not for this.
 */
async function unnoted(
  { restores }: ActivityDeps,
  { generation }: Intended,
  unlogged: boolean,
): Promise<RekeyError | null> {
  try {
    await restores.raised(generation);
    return null;
  } catch (error) {
    return unlogged ? null : asRekeyError(error);
  }
}

/** Writes the intent; answers with the refusal where nothing was written and the walk has something to do about it. */
async function written(deps: ActivityDeps, request: IntendRequest): Promise<Intended | RekeyError | null> {
  try {
    return await intend(deps.db, request);
  } catch (error) {
    if (error instanceof RekeyError && answered.has(error.code)) return error;
    throw error;
  }
}

/** Keeps that a step was refused before anything was sent. */
async function refused(
  deps: ActivityDeps,
  state: RotationState,
  step: Step,
  error: RekeyError,
): Promise<RotationEvent> {
  const event = failedWith({ at: deps.now(), step, change: null, outcome: "not-done" }, error);
  await appendEvent(deps.db, state.id, state.epoch, event);
  return event;
}

/** A consumer is moved by one rotation at a time (H39), except where going back or a leak cannot wait for that. */
function leasesFor(state: RotationState, step: Step): readonly string[] {
  const ordinary = state.emergency === null && state.target !== state.origin;
  return step.do === "deliver" && ordinary ? step.consumers : [];
}

/** After these the walk asks for a look before anything else. */
const looksFollow: ReadonlySet<RotationEvent["type"]> = new Set(["delivered", "disabled", "destroyed"]);

/**
 * What the world looks like once something was moved or taken away: the walk wants to know first, and
 * asking here spares it a step. A look that cannot be had is taken later, by itself; it undoes no change.
 */
async function lookAfter(
  deps: ActivityDeps,
  systems: Systems,
  state: RotationState,
  record: Held["record"],
  kept: RotationEvent,
): Promise<RotationEvent[]> {
  if (!looksFollow.has(kept.type)) return [];
  try {
    const surveyor = await surveyorFor(deps, systems, state, record);
    const look = await survey(surveyor, state, callWithin(lookTimeoutMs));
    return [(await foldLook(deps, state, look)).seen];
  } catch (error) {
    if (error instanceof RekeyError) return [];
    throw error;
  }
}

/** Which plans have to be signed for this step; counted again, with today's authority and keys, where its intent is written (H7, H37). */
async function signOffsFor(
  deps: ActivityDeps,
  state: RotationState,
  step: Step,
  { estate }: Systems,
  excluded: Excluded,
): Promise<{ signOffs?: SignOffs }> {
  if (!needsFreshFacts(step) || !needsSignOff(state) || state.policy.approval.quorum === 0) return {};
  const plans = [state.plan, ...state.amendments].filter((plan) => plan !== null);
  const asked = plans.flatMap((plan) => plan.approvers);
  return {
    signOffs: {
      policy: state.policy,
      plans,
      // Past the point of no return a rejection is an objection, and too late (H38).
      vetoes: !state.irreversible,
      // Nobody was asked about this round: then there is no deadline that a signature could have missed.
      askedAt: state.askedAt ?? deps.now(),
      speaksFor: await speakersOf(deps, estate, state.id, asked, excluded),
    },
  };
}

async function attempt<S extends Step>(
  deps: ActivityDeps,
  systems: Systems,
  state: RotationState,
  step: S,
  change: number,
  expects: Readonly<Record<string, string>>,
  call: Call,
  perform: Performer<S>,
): Promise<RotationEvent> {
  let touched = false;
  const tag = (version: string, tagState: TagState): FenceTag => ({
    installation: deps.installation,
    rotation: state.id,
    epoch: state.epoch,
    version,
    state: tagState,
    change,
  });
  try {
    // Looking and telling may have taken all of the activity's time: then another attempt may be under way.
    if (call.signal.aborted) throw new RekeyError("unreachable", "There was no time left for the change.");
    return await perform({ deps, systems, state, step, change, expects, call, tag }, () => {
      touched = true;
    });
  } catch (error) {
    const known = asRekeyError(error);
    const unknown = known.retry === "unknown-outcome" || (touched && known.code !== "fenced");
    return failedWith({ at: deps.now(), step, change, outcome: unknown ? "unknown" : "not-done" }, known);
  }
}

/** Keeps the outcome and answers with the one that is kept, which is the first that any attempt told. */
async function settleWith(
  deps: ActivityDeps,
  state: RotationState,
  change: number,
  event: RotationEvent,
): Promise<RotationEvent> {
  const { id: rotation, epoch } = state;
  const outcome = event.type === "failed" ? event.outcome : "done";
  return (await settle(deps.db, { rotation, epoch, change, outcome, event, at: deps.now() })).event;
}

/**
 * An attempt before this one has written the intent, maybe of another step, of which this run does not remember that it
 * was under way. Where it also kept the outcome, that is the answer; where it did not, nobody knows what it did, and the
 * walk settles that by asking (H3).
 */
async function settleEarlier(
  deps: ActivityDeps,
  state: RotationState,
  earlier: Pick<Intent, "change" | "step" | "event">,
): Promise<RotationEvent> {
  if (earlier.event) return earlier.event;
  const { change, step } = earlier;
  const lost = new RekeyError("unknown-outcome", "An earlier attempt ended before it could say what it did.");
  const event = failedWith({ at: deps.now(), step, change, outcome: "unknown" }, lost);
  return settleWith(deps, state, change, event);
}
