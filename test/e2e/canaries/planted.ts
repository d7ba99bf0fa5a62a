/** The values that the canary suite plants, each drawn for one purpose, so that whatever is found says where it came from. */
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formsOf } from "../../support/canaries.js";

/** Characters that URLs, JSON and shells write in another way. */
const odd = "/+@:%\"'&=?#\\ ";

/** The planted values with their names. */
export class Planted {
  readonly #names = new Map<string, string>();
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** A fresh value of that name. `plain` where the place that takes it allows letters and digits only. */
  draw(name: string, plain: "plain" | "odd" = "odd"): string {
    const random = randomBytes(18).toString("base64url");
    return this.know(name, plain === "plain" ? random : `${random.slice(0, 12)}${odd}${random.slice(12)}`);
  }

  /** Takes a value into the search that somebody else has made. */
  know(name: string, value: string): string {
    this.#names.set(value, name);
    return value;
  }

  /** A reference to a file with a fresh value, which only its owner can read. */
  async file(name: string): Promise<string> {
    return this.write(name, this.draw(name));
  }

  /** A reference to a file with this value. */
  async write(name: string, value: string): Promise<string> {
    const path = join(this.#folder, name.replaceAll(/[^a-z0-9]+/gi, "-"));
    await writeFile(path, value, { mode: 0o600 });
    return `file:${path}`;
  }

  get values(): readonly string[] {
    return [...this.#names.keys()];
  }

  get names(): readonly string[] {
    return [...new Set(this.#names.values())];
  }

  /** Whose form that is. */
  nameOf(form: string): string {
    const found = [...this.#names].find(([value]) => formsOf(value).includes(form));
    return found?.[1] ?? "nobody's";
  }
}
