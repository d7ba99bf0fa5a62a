/**
 * The pieces that the inventory knows, crossed off by their hashes as they are met: a table of numbers beside the text in which
 * their names came. As a set of strings, three hundred thousand of them cost more than to read the estate.
 */

/** Names of pieces that begin alike, and the others. */
export class Register {
  readonly #prefix: string;
  readonly #text: string;
  /** Where in the text the hashes begin and end. */
  readonly #from: Int32Array;
  readonly #to: Int32Array;
  /** Numbers of hashes, from 1, at the place that follows from their characters or the next free one. */
  readonly #places: Int32Array;
  readonly #isMet: Uint8Array;
  readonly #others: string[] = [];
  #size = 0;

  /** `names` have a space between them, and none stands there twice. */
  constructor(names: string, prefix: string) {
    this.#prefix = prefix;
    this.#text = names;
    const most = Math.ceil(names.length / (prefix.length + 1));
    this.#from = new Int32Array(most);
    this.#to = new Int32Array(most);
    for (let at = 0; at < names.length; ) {
      const space = names.indexOf(" ", at);
      const end = space === -1 ? names.length : space;
      if (names.startsWith(prefix, at)) {
        this.#from[this.#size] = at + prefix.length;
        this.#to[this.#size] = end;
        this.#size++;
      } else this.#others.push(names.slice(at, end));
      at = end + 1;
    }
    this.#isMet = new Uint8Array(this.#size);
    // A power of two, and never more than half full: whoever looks for a free place finds one soon.
    this.#places = new Int32Array(2 ** Math.ceil(Math.log2(2 * this.#size + 2)));
    for (let i = 0; i < this.#size; i++) {
      let place = this.#placeOf(names, this.#from[i] ?? 0, this.#to[i] ?? 0);
      while (this.#places[place] !== 0) place = this.#next(place);
      this.#places[place] = i + 1;
    }
  }

  #placeOf(text: string, from: number, to: number): number {
    let key = 0;
    for (let i = from; i < Math.min(from + 6, to); i++) key = (Math.imul(key, 67) + text.charCodeAt(i)) | 0;
    return key & (this.#places.length - 1);
  }

  #next(place: number): number {
    return (place + 1) & (this.#places.length - 1);
  }

  /** Crosses a hash off; false where it is not known, or was crossed off before. */
  cross(hash: string): boolean {
    for (let place = this.#placeOf(hash, 0, hash.length); ; place = this.#next(place)) {
      const i = (this.#places[place] ?? 0) - 1;
      if (i === -1) return false;
      const from = this.#from[i] ?? 0;
      if ((this.#to[i] ?? 0) - from !== hash.length || !this.#text.startsWith(hash, from)) continue;
      if (this.#isMet[i] === 1) return false;
      this.#isMet[i] = 1;
      return true;
    }
  }

  /** Hashes that were crossed off, in the order in which their names came. */
  get met(): string[] {
    return this.#hashes(1);
  }

  /** Names of which nothing was crossed off. */
  get left(): string[] {
    return [...this.#others, ...this.#hashes(0).map((hash) => this.#prefix + hash)];
  }

  #hashes(isMet: 0 | 1): string[] {
    const found: string[] = [];
    for (let i = 0; i < this.#size; i++)
      if (this.#isMet[i] === isMet) found.push(this.#text.slice(this.#from[i], this.#to[i]));
    return found;
  }
}
