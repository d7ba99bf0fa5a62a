/** What a row that does not have its hash means: it was changed, it is missing, or it stands somewhere else. */

const sentencesMax = 40;

/** Sentences about the log, no more than somebody can read. */
export class Findings {
  readonly #sentences: string[] = [];
  #more = 0;

  /** Adds a sentence, or counts it where there are too many already. */
  add(sentence: string): void {
    if (this.#sentences.length < sentencesMax) this.#sentences.push(sentence);
    else this.#more += 1;
  }

  /** All that was added. */
  sentences(): string[] {
    return this.#more === 0 ? this.#sentences : [...this.#sentences, `And ${this.#more} more.`];
  }
}

interface Wrong {
  readonly index: number;
  /** Hash of the text that stands there; null where there is none. */
  readonly found: Buffer | null;
  /** Hash that the tree holds; null where that is not there either. */
  readonly kept: Buffer | null;
}

/** Compares rows with the tree one after the other, and judges at the end, when it is known which ones are wrong. */
export class RowJudge {
  readonly #wrong: Wrong[] = [];

  constructor(private readonly findings: Findings) {}

  /** Notes a row whose hash is not that of the tree. */
  row(index: number, found: Buffer | null, kept: Buffer | null): void {
    if (found === null || (kept !== null && !found.equals(kept))) this.#wrong.push({ index, found, kept });
  }

  /** Says what is wrong with each. */
  end(): void {
    const places = new Map(
      this.#wrong.flatMap(({ index, kept }) => (kept ? [[kept.toString("hex"), index]] : [])),
    );
    for (const { index, found } of this.#wrong) {
      if (found === null) {
        this.findings.add(`Entry ${index} is missing.`);
        continue;
      }
      const origin = places.get(found.toString("hex"));
      this.findings.add(
        origin === undefined
          ? `Entry ${index} was changed: its text does not have the hash that the tree holds.`
          : `Entry ${origin} was moved: it stands at the place of entry ${index}.`,
      );
    }
  }
}
