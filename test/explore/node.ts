/** One point of the exploration: what the engine knows, what is true, and which misfortunes are still to come. */
import type { RotationEvent } from "../../domain/rotation/events.js";
import type { RotationState } from "../../domain/rotation/state.js";
import type { Decision, Step } from "../../domain/rotation/steps.js";
import type { Estate, World } from "./world.js";

/** A point. */
export interface Node {
  readonly state: RotationState;
  readonly world: World;
  readonly now: number;
  /** How many more things may go wrong on this path. */
  readonly faults: number;
  /** How many more leaks may be reported on this path. */
  readonly leaks: number;
  /** How often the walk turned by itself since somebody gave it a new cause. */
  readonly swings: number;
}

/** What a transition is for the question whether the rotation can end well. */
export type Kind = "good" | "bad" | "cancel";

/** A transition, with what it breaks. */
export interface Edge {
  readonly label: string;
  readonly kind: Kind;
  readonly to: Node;
  readonly broken: readonly string[];
}

/** The rules under test; a planted bug replaces one of them. */
export interface Engine {
  readonly decide: (state: RotationState, now: number) => Decision;
  readonly mayAct: (state: RotationState, step: Step, now: number) => boolean;
  readonly fold: (state: RotationState, event: RotationEvent) => RotationState;
  /** False for a bug: the world is not looked at again right before a step. */
  readonly looksAgain?: boolean;
}

/** What is explored. */
export interface Model {
  readonly name: string;
  readonly engine: Engine;
  readonly estate: Estate;
  readonly start: Node;
  /** People by the digest that they may sign. */
  readonly signers: Readonly<Record<string, string>>;
  /** Which misfortunes are tried, by their labels; null for all. */
  readonly only: RegExp | null;
  /** The store may go away. */
  readonly outages: boolean;
  /** Somebody else may overwrite a tag. */
  readonly meddlers: boolean;
}
