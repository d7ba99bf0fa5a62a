/**
 * What the provider says that there is: its account, and every key of it, page by page. A listing that cannot be
 * read to its end is an error, because what is not in half a listing would count as gone (H11).
 */
import { count } from "../../../domain/count.js";
import { RekeyError } from "../../../domain/errors.js";
import type { Call } from "../../ports.js";
import { type HttpConfig, idPattern } from "./config.js";
import { at } from "./pointer.js";
import { type Answer, type Line, read, urlOf } from "./wire.js";

/** A key as it is listed. */
export interface ListedKey {
  readonly id: string;
  readonly enabled: boolean;
  /** Empty where the provider keeps none. */
  readonly label: string;
  /** Another one after each mint; null where the provider shows nothing of the sort. */
  readonly mark: string | null;
}

type Login = Readonly<Record<string, string>>;

/** Which account this is, with its host: what a plan is made for (H9). */
export async function identityOf(line: Line, config: HttpConfig, login: Login, call: Call): Promise<string> {
  const { document } = await read(line, config.identity, login, call);
  const id = textAt(document, config.identity.pointer);
  if (id === null)
    throw new RekeyError("unsupported", `${line.host} does not say which account this is.`, descriptionHint);
  return `${line.host} ${id}`;
}

const descriptionHint = "Correct the pointers of the description; `rekey doctor` tries them.";

/** Every key of the account. Throws `unsupported` where the listing does not come to an end, or is not as described. */
export async function listKeys(
  line: Line,
  config: HttpConfig,
  login: Login,
  call: Call,
): Promise<ListedKey[]> {
  const found = new Map<string, ListedKey>();
  const seen = new Set<string>();
  let url: URL | null = urlOf(line, config.keys.path);
  if (config.keys.paging?.by === "page")
    url.searchParams.set(config.keys.paging.parameter, String(config.keys.paging.first));
  while (url !== null) {
    if (seen.has(url.href) || seen.size >= config.pagesMax)
      throw new RekeyError(
        "unsupported",
        `The listing of ${line.host} does not end within ${count(config.pagesMax, "page")}.`,
        "Raise `pagesMax`, ask for more keys a page, or correct `paging`.",
      );
    seen.add(url.href);
    const answer = await read(line, config.keys, login, call, url);
    const items = at(answer.document, config.keys.items);
    if (!Array.isArray(items))
      throw new RekeyError(
        "unsupported",
        `${line.host} lists no keys where the description says.`,
        descriptionHint,
      );
    for (const item of items) {
      const key = listed(line, config, item);
      found.set(key.id, key);
    }
    url = nextPage(line, config, url, answer, items.length);
  }
  return [...found.values()];
}

function listed(line: Line, { keys }: HttpConfig, item: unknown): ListedKey {
  const id = textAt(item, keys.id);
  if (id === null)
    throw new RekeyError("unsupported", `${line.host} lists a key without an id.`, descriptionHint);
  const label = keys.label === undefined ? "" : at(item, keys.label);
  const mark = keys.mark === undefined ? undefined : at(item, keys.mark);
  return {
    id,
    enabled: keys.enabled === undefined || at(item, keys.enabled.pointer) === keys.enabled.is,
    label: typeof label === "string" ? label : "",
    mark: mark === undefined || mark === null ? null : JSON.stringify(mark),
  };
}

function nextPage(line: Line, { keys }: HttpConfig, url: URL, answer: Answer, count: number): URL | null {
  const { paging } = keys;
  switch (paging?.by) {
    case undefined:
      return null;
    case "cursor": {
      const cursor = at(answer.document, paging.next);
      if (cursor === undefined || cursor === null || cursor === "") return null;
      return withParameter(url, paging.parameter, String(cursor));
    }
    case "link":
      return linked(line, url, answer.link);
    case "page": {
      const number = Number(url.searchParams.get(paging.parameter));
      return count === 0 ? null : withParameter(url, paging.parameter, String(number + 1));
    }
  }
}

function withParameter(url: URL, name: string, value: string): URL {
  const next = new URL(url);
  next.searchParams.set(name, value);
  return next;
}

/** The address of the next page, which the provider gives us: the engine's credential goes to no other host because of it. */
function linked(line: Line, url: URL, header: string): URL | null {
  const next = header
    .split(/,(?=\s*<)/)
    .find((part) => /;\s*rel="?(?:[^";]*\s)?next(?:\s[^";]*)?"?(?:;|$)/i.test(part.trim()));
  const target = /<([^>]*)>/.exec(next ?? "")?.[1];
  if (target === undefined) return null;
  if (!URL.canParse(target, url.href) || new URL(target, url).origin !== line.base.origin)
    throw new RekeyError("unsupported", `The listing of ${line.host} goes on at another host.`);
  return new URL(target, url);
}

/** A short name that stands at the pointer; null where there is none. */
export function textAt(document: unknown, pointer: string): string | null {
  const value = at(document, pointer);
  const text = typeof value === "number" ? String(value) : value;
  return typeof text === "string" && idPattern.test(text) ? text : null;
}
