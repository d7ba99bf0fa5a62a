/**
 * One writer at a time for a file, over processes: a compare-and-set on a file is a read, a look and a
 * rename, and only a lock makes them one. The lock is a file that names its owner, so that what a killed
 * process left behind is recognised and taken away, by exactly one of those who wait.
 */
import { randomUUID } from "node:crypto";
import { link, readdir, readFile, readlink, stat, unlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RekeyError } from "../../domain/errors.js";
import type { Call } from "../ports.js";
import { causeOf, translated } from "./file-errors.js";
import { within } from "./retry.js";

interface Owner {
  /** Never used twice: two locks with the same nonce are the same lock. */
  readonly nonce: string;
  readonly host: string;
  /** Changes with every boot, so that a process id from before is recognised; empty where the system has none. */
  readonly boot: string;
  /** Within what the process id counts: containers on one machine may share host and boot. Empty where the system has none. */
  readonly pidNamespace?: string;
  readonly pid: number;
  /** When the process began, as the system counts it; process ids are used again. Empty where unknown. */
  readonly began: string;
}

/** Whoever made a lock that is not whole: locks appear whole, so only a power cut leaves one like that. */
const unreadable: Owner = {
  nonce: "unreadable",
  host: hostname(),
  boot: "an earlier one",
  pid: 0,
  began: "",
};

/** Writing a draft takes microseconds; one that is not whole after this will not become so. */
const draftAgeMsMax = 60_000;

/** How long a waiter sleeps between looks, plus as much again at random. */
const lookEveryMs = 4;

/** Locks that are taken to break locks, one in the other; each level needs a process killed within microseconds. */
const depthMax = 4;

/**
 * Runs the work while `path` is locked. Throws `unreachable` when the lock is not free within `waitMsMax`
 * or the call's time; the sentence then says who holds it. The folder of `path` must be the engine's own.
 */
export async function withFileLock<T>(
  path: string,
  waitMsMax: number,
  call: Call,
  work: () => Promise<T>,
): Promise<T> {
  const me = await self();
  await acquire(path, me, within(call, waitMsMax), 0);
  try {
    await sweep(path);
    return await work();
  } finally {
    await release(path, me);
  }
}

async function acquire(path: string, me: Owner, call: Call, depth: number): Promise<void> {
  const draft = `${path}.${me.nonce}.${depth}`;
  await guarded(path, () => writeFile(draft, JSON.stringify(me), { mode: 0o600, flag: "wx" }));
  try {
    for (;;) {
      if (call.signal.aborted) throw busy(path, await ownerOf(path));
      // A link appears whole or not at all, and only where nothing is: nobody reads half an owner.
      if (await guarded(path, () => linked(draft, path))) return;
      const owner = await ownerOf(path);
      if (owner !== null && (await isGone(owner))) await breakLock(path, owner, me, call, depth);
      else
        await sleep(lookEveryMs * (1 + Math.random()), undefined, { signal: call.signal }).catch(
          () => undefined,
        );
    }
  } finally {
    await unlink(draft).catch(() => undefined);
  }
}

/** Only the holder of this lock's own breaking lock may remove it, and only while it still is that very lock. */
async function breakLock(path: string, stale: Owner, me: Owner, call: Call, depth: number): Promise<void> {
  if (depth >= depthMax) throw busy(path, stale);
  const breaking = `${path}.break-${stale.nonce}`;
  await acquire(breaking, me, call, depth + 1);
  try {
    if ((await ownerOf(path))?.nonce === stale.nonce) await unlink(path).catch(() => undefined);
  } finally {
    await release(breaking, me);
  }
}

async function release(path: string, me: Owner): Promise<void> {
  if ((await ownerOf(path))?.nonce === me.nonce) await unlink(path).catch(() => undefined);
}

/** Drafts and breaking locks of killed processes. While we hold the lock none of them can become one. */
async function sweep(path: string): Promise<void> {
  const names = await readdir(dirname(path));
  for (const name of names.filter((other) => other.startsWith(`${basename(path)}.`))) {
    const left = join(dirname(path), name);
    const owner = await ownerOf(left);
    if (owner === null || !(await isGone(owner))) continue;
    // A draft that cannot be read is being written right now, unless it is old.
    if (owner === unreadable && (await ageMs(left)) < draftAgeMsMax) continue;
    await unlink(left).catch(() => undefined);
  }
}

async function ageMs(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
}

async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (causeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** `null`: released between two looks. A lock that a power cut left unreadable has an owner from before that boot. */
async function ownerOf(path: string): Promise<Owner | null> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return null;
  }
  try {
    return JSON.parse(text) as Owner;
  } catch {
    return unreadable;
  }
}

async function self(): Promise<Owner> {
  return {
    nonce: randomUUID(),
    host: hostname(),
    boot: await bootId(),
    pidNamespace: await pidNamespace(),
    pid: process.pid,
    began: await beganAt(process.pid),
  };
}

/**
 * True only when it is certain: a process of another host, or of another container, cannot be asked, so its lock stands
 * until a person removes it. No time is too long for a lock: who holds it may have been halted, and goes on.
 */
async function isGone(owner: Owner): Promise<boolean> {
  if (owner.host !== hostname()) return false;
  if (owner.boot !== (await bootId())) return true;
  // A lock of the release before names none.
  const namespace = await pidNamespace();
  if ((owner.pidNamespace ?? namespace) !== namespace) return false;
  if (!isAlive(owner.pid)) return true;
  const began = await beganAt(owner.pid);
  return owner.began !== "" && began !== "" && began !== owner.began;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return causeOf(error) !== "ESRCH";
  }
}

let boot: Promise<string> | undefined;

/** Does not change while this process lives, so it is read once. */
function bootId(): Promise<string> {
  boot ??= readFile("/proc/sys/kernel/random/boot_id", "utf8").then(
    (text) => text.trim(),
    () => "",
  );
  return boot;
}

let namespace: Promise<string> | undefined;

/** Does not change while this process lives either. */
function pidNamespace(): Promise<string> {
  namespace ??= readlink("/proc/self/ns/pid").catch(() => "");
  return namespace;
}

/** The 22nd field of `stat`, counted behind the command, which may hold anything. */
async function beganAt(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/stat`, "utf8").then(
    (text) => text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "",
    () => "",
  );
}

async function guarded<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translated(error, path);
  }
}

function busy(path: string, owner: Owner | null): RekeyError {
  const holder = owner === null ? "another process" : `process ${owner.pid} on ${owner.host}`;
  return new RekeyError(
    "unreachable",
    `${holder} is changing the document (lock ${path}).`,
    "The step tries again by itself. If that process is gone for good, with its host or container, remove the lock file.",
  );
}
