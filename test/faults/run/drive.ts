/** Plays one case: sets the direction, plants the fault, has the credential rotated, and asks the oracle. */
import { setTimeout as pause } from "node:timers/promises";
import { NamespaceNotFoundError, ServiceError, WorkflowNotFoundError } from "@temporalio/client";
import { holdOf } from "../../../domain/rotation/moves.js";
import { newId } from "../../../worker/installation.js";
import { keepCheckpoint } from "../house/audit-log.js";
import { containmentDeadlineMs } from "../house/estate.js";
import { type Lane, secretsOf } from "../house/lane.js";
import type { Others } from "../house/outages.js";
import { forgetSignatures, ownerHasSigned } from "../house/papers.js";
import { readingsOver } from "../house/readings.js";
import { type Evidence, judge, type Verdict } from "../oracle/judge.js";
import { Probes, probe } from "../oracle/probes.js";
import { cameInTime } from "../oracle/readings.js";
import { isOutage, pointName } from "../seam/points.js";
import type { Seen } from "../seam/witness.js";
import type { LoginAnswer, RawDocument } from "../worlds/world.js";
import { goneOnWith } from "./after-restore.js";
import type { Case } from "./cases.js";
import { mayEndAs } from "./ends.js";
import { outagesOf, watchCopies } from "./outside.js";
import { inputOf, sign, signer } from "./persons.js";
import { Pinned } from "./pinned.js";
import { Reporter } from "./reporter.js";
import { Visit } from "./visit.js";
import { type Held, Watcher } from "./watcher.js";

/** What came of a case. */
export interface Played {
  readonly verdict: Verdict;
  readonly outcome: string;
  /** Whether the fault was met; a case whose point was never reached says nothing. */
  readonly met: boolean;
  readonly tookMs: number;
  /** Why an operator was called, each time. */
  readonly orders: readonly string[];
  readonly seen: readonly Seen[];
}

/** Patience for a machine that has much else to do; a case is over in seconds on another. */
const endMsMax = 240_000;
const pollMs = 150;
const operatorAfterMs = 5_000;
const ordersMax = 3;
const settleMsMax = 60_000;
const rememberedMax = 6;

/** Documents of earlier cases of a lane: they stay refused. */
const remembered = new WeakMap<Lane, RawDocument[]>();
/** Plays a case on a lane that is at rest. Throws only where the harness itself cannot go on. */
export async function play(lane: Lane, { direction, planted }: Case): Promise<Played> {
  const begunAt = Date.now();
  await lane.direct(direction);
  await settled(lane);
  const before = await lane.world.live();
  if (before === null) throw new Error(`lane ${lane.index} has no live document`);
  await Promise.all([lane.witness.read(), lane.values.read()]);
  const crashesBefore = lane.worker.crashes.length;
  await lane.worker.plan(planted);
  forgetSignatures(lane);
  const restored = planted.some(({ fault }) => fault === "inventory-restored");
  if (restored) await lane.records.keep();
  if (planted.some(({ fault }) => fault === "audit-restored")) await lane.log.keep();
  for (const backup of Object.values(lane.world.backups ?? {})) await backup.keep();
  // One that has no session open between two pieces of work: only what it says of itself shows that it is not moved.
  const stubborn = lane.services.find((service) => service.name === "checkout");
  if (direction === "back") await stubborn?.refuse(true);
  const visit = await Visit.in(lane, direction, before);
  const pinned = await Pinned.in(lane, direction, before);
  const held: Held[] = [];
  if (direction === "emergency" || direction === "signed" || direction === "leaked")
    held.push({ document: before, session: await lane.world.hold(before) });
  const probes = new Probes(lane.services);
  const startedAt = Date.now();
  let revocationsFrom = startedAt;
  const seen: Seen[] = [];
  const orders: string[] = [];
  const trespasses: string[] = [];
  const atOnce: LoginAnswer[] = [];
  const others: Others = { note: before.note, restoredAt: null, unshown: null };
  const copies = watchCopies(lane, planted);
  const watcher = new Watcher(direction === "signed" && !lane.world.endsSessionsUnasked, held);
  let outcome: string;
  let reporter: Reporter | null = null;
  try {
    const input = await inputOf(lane, direction, before);
    const outages = outagesOf(lane, input, { direction, planted }, trespasses, others);
    const { workflow } = await lane.rotations.start(input);
    if (direction === "leaked") reporter = new Reporter(lane, workflow, before);
    if (direction === "signed") trespasses.push(...(await sign(lane, workflow, restored)));
    const recreated = planted.some(({ fault }) => fault === "temporal-recreated");
    const lost: Lost = { recreated, restored };
    const runIsLost = recreated || restored || planted.some(({ fault }) => /^workflow-/.test(fault));
    const signAgain = runIsLost && direction === "signed" ? signer(lane, workflow) : async () => undefined;
    const meanwhile = async () => {
      await signAgain();
      const news = await lane.witness.read();
      seen.push(...news);
      reporter?.watch(news);
      if (news.some(({ kind, what }) => kind === "change" && what === "end")) probes.hurry();
      const allMoved = () => probes.allOff(lane.world.accountOf(before));
      await watcher.watch(allMoved);
      await visit?.watch(workflow, allMoved);
      await pinned?.watch(workflow, allMoved);
    };
    outcome = await ended(lane, workflow, orders, lost, meanwhile);
    await reporter?.over();
    if (restored) {
      await outages.over();
      // Whoever did not move was started anew by its owner, as somebody was called to look anyway; nor is anybody's
      // patience at an end, as it is meant to be where a rotation is to go back.
      if (direction === "back") {
        await stubborn?.refuse(false);
        await lane.direct("forward");
      }
      const untilEnded = (its: string) => ended(lane, its, orders, lost, meanwhile);
      outcome = await goneOnWith(lane, input, outcome, untilEnded, () => {
        revocationsFrom = Date.now();
        return inputOf(lane, direction, before);
      });
    }
    if (direction === "signed" && outcome === "rotated" && !ownerHasSigned(lane))
      trespasses.push("it rotated without a signature");
    if (outcome === "rotated") atOnce.push(...(await lane.world.login(before)));
    await outages.over();
    await readingsOver(lane);
    await visit?.over();
    await pinned?.over();
    await lane.worker.finish();
  } finally {
    lane.worker.onReached = null;
    lane.worker.onCopy = null;
    await lane.spare.stop();
    if (direction === "back") await stubborn?.refuse(false);
  }
  await settled(lane);
  await Promise.all(lane.services.map(async (service) => probes.seen.push(await probe(service))));
  const all = await probes.stop();
  seen.push(...(await lane.witness.read()));
  // What is kept before its value was made has none yet.
  const values = (await lane.values.read()).filter(({ fields }) => fields.password !== undefined);
  const made = values.map(({ fields }) => fields);
  for (const value of made.flatMap((document) => secretsOf(lane.world, document))) lane.everyValue.add(value);
  const known = remembered.get(lane) ?? [];
  const leakedAt = direction === "emergency" ? startedAt : (reporter?.reportedAt ?? null);
  const isIssuerRestored = planted.some(({ fault }) => fault === "issuer-restored");
  const evidence: Evidence = {
    ...{
      world: lane.world,
      before,
      startedAt,
      revocationsFrom,
      outcome,
      atOnce,
      probes: all,
      held,
      seen,
      copies,
    },
    note: others.note,
    restoredAt: others.restoredAt,
    trespasses:
      direction === "signed"
        ? { of: "I7", sentences: trespasses }
        : planted.some(({ fault }) => isOutage(fault))
          ? { of: "I8", sentences: trespasses }
          : null,
    // What a restored issuer cuts off is not the engine's doing.
    cutOff: watcher.cutOff && !isIssuerRestored,
    heldUntil: isIssuerRestored ? null : watcher.heldUntil,
    unshown: others.unshown,
    visited: visit?.visited ?? null,
    pinned: pinned?.visit ?? null,
    made: [...known, ...made],
    versions: new Map([
      ...(before.rekey_version === undefined ? [] : [[before.rekey_version, before] as const]),
      ...values.map(({ version, fields }) => [version, fields] as const),
    ]),
    mayEndAs: mayEndAs(leakedAt === null ? direction : "emergency", planted),
    containBy: leakedAt === null ? null : leakedAt + containmentDeadlineMs,
    crashes: lane.worker.crashes.slice(crashesBefore),
  };
  const verdict = await judge(evidence);
  await keepCheckpoint(lane);
  for (const { session } of held) await session.end();
  remembered.set(lane, [before, ...made, ...known].slice(0, rememberedMax));
  const isMet = planted.every((one) =>
    seen.some(({ what, point }) => what === "planted" && point === pointName(one)),
  );
  const met = isMet && (visit === null || cameInTime(visit.visited, seen)) && (pinned?.cameAll(seen) ?? true);
  return { verdict, outcome, met, orders, tookMs: Date.now() - begunAt, seen };
}

/** Every service works with what is live: only then does a case begin, and only then is one judged. */
async function settled(lane: Lane): Promise<void> {
  const until = Date.now() + settleMsMax;
  for (;;) {
    const live = await lane.world.live();
    const wanted = live === null ? null : lane.world.accountOf(live);
    const now = await Promise.all(lane.services.map(probe));
    if (now.every(({ account }) => account === wanted) || Date.now() > until) return;
    await pause(pollMs);
  }
}

/** What a case takes away: all that Temporal had, or what the inventory had of the rotation. */
interface Lost {
  readonly recreated: boolean;
  readonly restored: boolean;
}

/** How the rotation ended; one that does not end says where it stands instead. */
async function ended(
  lane: Lane,
  workflow: string,
  orders: string[],
  lost: Lost,
  meanwhile: () => Promise<void>,
): Promise<string> {
  const handle = lane.temporal.workflow.getHandle(workflow);
  const until = Date.now() + endMsMax;
  let askAt = Date.now() + operatorAfterMs;
  for (;;) {
    await meanwhile();
    if (Date.now() > askAt) {
      await operate(lane, workflow, orders);
      if (orders.length >= ordersMax) return `needs-operator again and again: ${orders.at(-1)}`;
      askAt = Date.now() + operatorAfterMs;
    }
    const description = await handle.describe().catch((error: unknown) => {
      // Of a namespace that is new, a service of the server may not know yet; and one that was made anew has nothing.
      if (error instanceof NamespaceNotFoundError) return null;
      const isAway = error instanceof WorkflowNotFoundError || error instanceof ServiceError;
      if (isAway && lost.recreated && Date.now() < until) return null;
      throw error;
    });
    if (description === null) {
      await pause(pollMs);
      continue;
    }
    const { status } = description;
    if (status.name === "COMPLETED") return ((await handle.result()) as { outcome: string }).outcome;
    // Ended by the harness, and about to be started again.
    if (status.name === "TERMINATED" && lane.worker.onReached !== null && !lost.restored) {
      if (Date.now() > until) return "terminated, and not started again";
      await pause(pollMs);
      continue;
    }
    if (status.name !== "RUNNING") {
      const why = await handle.result().then(
        () => "",
        (error: Error) => `${error.message} ${error.cause instanceof Error ? error.cause.message : ""}`,
      );
      return `a workflow that is ${status.name}: ${why}`;
    }
    if (Date.now() > until) return `not at all: ${await standing(lane, workflow)}`;
    await pause(pollMs);
  }
}

/** What an operator does who is called: looks after what only a person can, and has it tried again. */
async function operate(lane: Lane, workflow: string, orders: string[]): Promise<void> {
  const progress = await lane.rotations.progress(workflow).catch(() => null);
  if (progress?.standing !== "needs-operator" || !progress.exits.includes("retry")) return;
  const facts = await lane.rotations.facts(workflow).catch(() => null);
  if (facts === null) return;
  const { state } = facts;
  orders.push(progress.sentence);
  await lane.world.attend?.();
  const order = { rotation: state.id, hold: holdOf(state), by: "operator", exit: "retry" } as const;
  await lane.rotations.resume(workflow, order, newId("msg")).catch(() => undefined);
}

async function standing(lane: Lane, workflow: string): Promise<string> {
  const progress = await lane.rotations.progress(workflow).catch(() => null);
  return progress === null
    ? "it does not answer"
    : `${progress.standing} at ${progress.gate}: ${progress.sentence}`;
}
