/**
 * One operation's look at the provider: which account answers, which keys it lists, and what the fence says of each.
 * Every change begins with one, so that nothing is done on what was known a while ago (H9, H10).
 */
import { createHash } from "node:crypto";
import { parseTag } from "../../../domain/fence.js";
import type { AdapterDeps, Call, Slot } from "../../ports.js";
import type { HttpAccount, HttpConfig } from "./config.js";
import { type Fence, fenced, labelFence, readLabel, type Standing } from "./fence.js";
import { identityOf, type ListedKey, listKeys } from "./listing.js";
import { registerFence } from "./register.js";
import { type Answer, change, type Described, openLine, ownHeader } from "./wire.js";

/** A look that is older than this is taken again before something is sent: the process may have been stopped meanwhile. */
const lookAgeMsMax = 2_000;

/** What stands in a slot. */
export interface SlotLook {
  readonly standing: Standing;
  /** The slot's key as it is listed; absent while none is. */
  readonly key: ListedKey | undefined;
  /** Keys that came while one was being made and its answer was lost: those that bear our tag, and those that do not. */
  readonly ours: readonly ListedKey[];
  readonly strays: readonly ListedKey[];
}

/** The look, and the way to change something after it. */
export interface Session {
  readonly host: string;
  /** Host and account, for the plan. */
  readonly identity: string;
  readonly fence: Fence;
  /** The keys of the newest look. */
  keys(): readonly ListedKey[];
  /** Lists the keys anew. */
  relist(): Promise<readonly ListedKey[]>;
  slot(slot: string): Promise<SlotLook>;
  /** Has a described change made to `key` for the tag, once, while the slot still carries that tag. */
  send(described: Described, slot: string, key: string, tag: string): Promise<Answer>;
}

/** Looks. Throws `unreachable`, `not-permitted`, or `unsupported` where answers are not as described. */
export async function openSession(
  config: HttpConfig,
  account: HttpAccount,
  deps: AdapterDeps,
  call: Call,
): Promise<Session> {
  const line = await openLine(config, config.address, deps, call);
  const login = await ownHeader(config, deps, call);
  const list = () => listKeys(line, config, login, call);
  let [identity, keys] = await Promise.all([identityOf(line, config, login, call), list()]);
  let lookedAt = deps.now();

  const relist = async () => {
    keys = await list();
    lookedAt = deps.now();
    return keys;
  };
  const nonceOf = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 32);
  const fence =
    config.fence.in === "label"
      ? labelFence({ list: relist, set: setLabel(config.fence.set) })
      : registerFence(
          { ...config.fence, lockTimeoutMs: config.fence.lockTimeout, address: config.address },
          (slot) => (config.mint.replaces === "value" ? slot : (account.existing ?? null)),
          () => Buffer.from(deps.random(8)).toString("hex"),
          call,
        );

  function setLabel(described: Described) {
    return async (key: string, tag: string) => {
      const filling = { key, tag, nonce: nonceOf(tag) };
      // The fence looked right before.
      await change(line, described, login, filling, async () => undefined, call);
    };
  }

  const stillOurs = async (slot: string, tag: string) => {
    if (deps.now() - lookedAt <= lookAgeMsMax) return;
    const standing = await fence.read(slot, await relist());
    if (standing.tag !== tag) throw fenced(slot);
  };

  return {
    host: line.host,
    identity,
    fence,
    keys: () => keys,
    relist,
    slot: async (slot) => lookOf(config, deps.installation, await fence.read(slot, keys), keys),
    send: (described, slot, key, tag) =>
      change(
        line,
        described,
        login,
        { key, tag, nonce: nonceOf(`${tag} ${described.path} ${key}`) },
        () => stillOurs(slot, tag),
        call,
      ),
  };
}

function lookOf(
  config: HttpConfig,
  installation: string,
  standing: Standing,
  keys: readonly ListedKey[],
): SlotLook {
  const key = keys.find(({ id }) => id === standing.key);
  const { before, tag } = standing;
  const isNew = ({ id }: ListedKey) => before !== null && !before.includes(id) && id !== standing.key;
  const came = standing.done ? [] : keys.filter(isNew);
  const ours = came.filter(({ label }) => isSameMint(readLabel(label).tag, tag));
  const strays = came.filter((each) => !ours.includes(each));
  // What an installation has written beside the key counts wherever our own tag stands (H8).
  const beside = config.keys.label === undefined ? "" : readLabel(key?.label ?? "").tag;
  const theirs = parseTag(beside);
  const isForeign = theirs !== null && theirs.installation !== installation;
  return { standing: isForeign ? { ...standing, tag: beside } : standing, key, ours, strays };
}

/** True for the tag that a key was made under, whoever has taken over the slot since. */
function isSameMint(label: string, tag: string): boolean {
  const [made, wanted] = [parseTag(label), parseTag(tag)];
  return (
    made !== null &&
    wanted !== null &&
    made.installation === wanted.installation &&
    made.rotation === wanted.rotation &&
    made.version === wanted.version
  );
}

/** A slot as the port shows it. */
export function shownSlot(
  config: HttpConfig,
  account: HttpAccount,
  slot: string,
  { standing, key, ours, strays }: SlotLook,
): Slot {
  const { tag, done, mark } = standing;
  const state = parseTag(tag)?.state;
  const isListed = [key, ...ours, ...strays].some((each) => each?.enabled);
  // Where nothing can be switched off, a key that was given a value which nobody has is as good as off.
  const isDead = config.disable === undefined && state !== undefined && state !== "enabled" && done;
  const isSpare = tag === "" && account.spare.includes(slot);
  const isOther = mark !== null && key !== undefined && key.mark !== null && key.mark !== mark;
  const unkept = state === "enabled" && (!done || isOther);
  return { slot, tag, enabled: isListed && !isDead && !isSpare, ...(unkept ? { unkept } : {}) };
}
