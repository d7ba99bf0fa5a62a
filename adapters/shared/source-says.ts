/**
 * Collects what one record says, so that no source has to repeat its record, its times and the marking of values. An edge
 * that a record names several times is one claim, counted.
 */
import type {
  Claim,
  Copy,
  Listed,
  LocationThing,
  Malformed,
  PlaceThing,
  Thing,
} from "../../domain/discovery/said.js";
import { withheld } from "../../domain/discovery/withheld.js";
import type { EdgeType, EvidenceKind } from "../../domain/graph/types.js";
import { type Met, valuesIn } from "./source-values.js";

/** What every collector needs: the keyed hash of a value, and when this is read, in milliseconds since the epoch. */
export interface Marking {
  readonly mark: (value: string) => string;
  readonly at: number;
}

/** Claims, copies and complaints of one record. */
export class Says {
  readonly copies: Copy[] = [];
  readonly listed: Listed[] = [];
  readonly malformed: Malformed[] = [];
  readonly gaps: string[] = [];
  /** Records read, those that could not be read included. */
  records = 0;
  readonly #claims = new Map<string, Claim>();
  /** What stands in `copies` and in `listed`, as text: a file may hold as many values as it has lines. */
  readonly #met = new Set<string>();
  readonly #things = new Set<string>();

  constructor(
    readonly record: string,
    readonly marking: Marking,
  ) {}

  get claims(): readonly Claim[] {
    return [...this.#claims.values()];
  }

  /** One edge. Said again, it is counted, and the first sentence stays. */
  claim(from: Thing, type: EdgeType, to: Thing, known: EvidenceKind, sentence: string): void {
    const key = JSON.stringify([from, type, to, known]);
    const before = this.#claims.get(key);
    const count = (before?.seen.count ?? 0) + 1;
    const { at } = this.marking;
    const seen = { first: at, last: at, count };
    this.#claims.set(key, {
      record: this.record,
      known,
      from,
      type,
      to,
      seen,
      sentence: before?.sentence ?? sentence,
    });
  }

  /** The same edge, written down by somebody. */
  declared(from: Thing, type: EdgeType, to: Thing, sentence: string): void {
    this.claim(from, type, to, "declared", sentence);
  }

  /** Something that is there, with what is known of it. */
  lists(thing: Thing): void {
    const { at } = this.marking;
    this.#things.add(JSON.stringify(thing));
    this.listed.push({ record: this.record, thing, seen: { first: at, last: at, count: 1 } });
  }

  /** Values that stand at a place; one that cannot be told from others has no hash, and that it stands there is told alone. */
  copy(at: LocationThing | PlaceThing, met: readonly Met[], literal: boolean, where: string): void {
    const seen = { first: this.marking.at, last: this.marking.at, count: 1 };
    const place = JSON.stringify(at);
    for (const { as, value } of met) {
      if (value === null && !this.#things.has(place)) this.lists(at);
      const mark = value === null ? "" : this.marking.mark(value);
      const key = `${mark} ${place}`;
      if (this.#met.has(key)) continue;
      this.#met.add(key);
      this.copies.push({ record: this.record, at, mark, literal, seen, sentence: `${as} at ${where}` });
    }
  }

  /** Something that is not seen: told once, however many it concerns. */
  gap(sentence: string): void {
    if (!this.gaps.includes(sentence)) this.gaps.push(sentence);
  }

  /** A record that could not be read. */
  cannotRead(where: string, why: string): void {
    this.malformed.push({ where, why });
  }
}

/** A place by what it is in and where there. */
export function location(scope: string, path: string): LocationThing {
  return { is: "location", scope, path };
}

/**
 * What a file names, as it may be repeated: stars for whatever in it is a value, an address with its password or a token where the name
 * of another file should stand.
 */
export function told(text: string): string {
  const values = valuesIn("", text).flatMap(({ value }) => value ?? []);
  // The name of a file has no query; behind a question mark stands what was meant for a server.
  return withheld(values.reduce((rest, value) => rest.replaceAll(value, "***"), text)).replace(
    /\?[\s\S]*/,
    "?***",
  );
}
