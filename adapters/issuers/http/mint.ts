/**
 * Has the provider make a value (H11). The fence moves first, and says "not done" until the value is kept; what was
 * made in between and lost is recognised by its label, or asked about, and never guessed.
 */
import { RekeyError } from "../../../domain/errors.js";
import { Secret } from "../../../domain/secret.js";
import type { SecretDocument } from "../../ports.js";
import type { HttpConfig } from "./config.js";
import { fenced, type Standing } from "./fence.js";
import { textAt } from "./listing.js";
import { at } from "./pointer.js";
import type { Session, SlotLook } from "./session.js";

/** A change that was held against what is there. */
export interface Begun {
  readonly session: Session;
  readonly slot: string;
  /** Text of the change's tag. */
  readonly text: string;
  /** Text of the tag that is there. */
  readonly expect: string;
  readonly look: SlotLook;
}

/** Makes a value, hands it over, and only then says that the slot has it. */
export async function minted(
  config: HttpConfig,
  begun: Begun,
  keep: (document: SecretDocument) => Promise<void>,
): Promise<void> {
  const { session, slot, text, look } = begun;
  const pending = await reserve(config, begun);
  const made = await makeValue(config, begun, pending);
  const known = { ...pending, key: made.key, before: null };
  // Whoever has taken over meanwhile has a value made too, and this one must not be kept in its place.
  if (config.mint.replaces === "key") await session.fence.swap(slot, text, known);
  else if ((await session.fence.read(slot, await session.relist())).tag !== text) throw fenced(slot);
  await keep({ username: new Secret(made.key), password: made.value });
  const mark = (await session.relist()).find(({ id }) => id === made.key)?.mark ?? null;
  // A listing that has not heard of it yet would make the next look take this value for somebody else's.
  const isHeard = config.mint.replaces === "key" || mark !== look.key?.mark;
  await session.fence.swap(slot, text, { ...known, done: true, mark: isHeard ? mark : null });
}

/** Moves the fence, with what is listed now, so that a key whose answer is lost can be told from those before. */
async function reserve(config: HttpConfig, { session, slot, text, expect, look }: Begun): Promise<Standing> {
  const { standing, key, ours, strays } = look;
  if (config.mint.replaces === "value") {
    const pending = { ...standing, tag: text, done: false };
    await session.fence.swap(slot, expect, pending);
    return pending;
  }
  const own = new Set([key, ...ours].map((each) => each?.id));
  const others = session
    .keys()
    .map(({ id }) => id)
    .filter((id) => !own.has(id));
  // While somebody has to be asked, what was there before has to stay known.
  const before = strays.length > 0 ? standing.before : others;
  const pending = { ...standing, tag: text, done: false, before };
  await session.fence.swap(slot, expect, pending);
  if (strays.length > 0) await askAbout(config, { session, slot, text, expect, look });
  return pending;
}

/** Whose they are nobody knows: they are switched off where that can be undone, and never removed. */
async function askAbout(config: HttpConfig, { session, slot, text, look }: Begun): Promise<never> {
  const { disable } = config;
  for (const { id, enabled } of look.strays)
    if (disable && enabled) await session.send(disable, slot, id, text);
  throw new RekeyError("conflict", strayText(session.host, look), strayHint);
}

/** The sentence and the mend for keys that nobody can be asked about but a person. */
export function strayText(host: string, { strays }: Pick<SlotLook, "strays">): string {
  const ids = strays.map(({ id }) => id).join(", ");
  return `${ids} came into being at ${host} while the answer to a mint was lost, and nothing says whose.`;
}

/** What a person does about it. */
export const strayHint =
  "Find out whose it is, and delete it at the provider if it is nobody's; the step goes on then. A label with {tag} in the mint request spares you this.";

async function makeValue(
  config: HttpConfig,
  begun: Begun,
  pending: Standing,
): Promise<{ readonly key: string; readonly value: Secret }> {
  const { session, slot, text, look } = begun;
  const { mint } = config;
  let isGone = false;
  try {
    for (const { id } of leftBehind(config, look)) {
      if (config.delete === undefined) break;
      await session.send(config.delete, slot, id, text);
      isGone = true;
    }
    const { document } = await session.send(mint, slot, slot, text);
    isGone = true;
    // A key that was switched off gets another value and stays off.
    if (config.enable && look.key?.enabled === false) await session.send(config.enable, slot, slot, text);
    const value = at(document, mint.value);
    const key = mint.id === undefined ? slot : textAt(document, mint.id);
    if (typeof value === "string" && value !== "" && key !== null) return { key, value: new Secret(value) };
  } catch (error) {
    const isOpen = error instanceof RekeyError && error.code === "unknown-outcome";
    // Nothing was made and nothing was taken away: the slot is what it was, and there is a way back.
    if (!isOpen && !isGone)
      await session.fence.swap(slot, text, { ...look.standing, done: look.standing.done });
    throw error;
  }
  throw new RekeyError(
    "unsupported",
    `${session.host} made a value for ${slot}, and its answer does not hold it where the description says.`,
    `Correct \`mint.value\`${pending.key === null ? " and `mint.id`" : ""}; the value is lost, and the next one is made by itself.`,
  );
}

/** Where another key comes, the one before goes first: the provider bears one. Those that nobody was given go too. */
function leftBehind(config: HttpConfig, { key, ours }: SlotLook): { readonly id: string }[] {
  return config.mint.replaces === "value" ? [] : [key, ...ours].filter((each) => each !== undefined);
}
