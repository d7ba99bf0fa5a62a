/** What a person signed, as the rotation takes it in: how long it counts, and how often. */
import { expect, test } from "vitest";
import { verifyActivity } from "../../activities/verify.js";
import { foldAll } from "../../domain/rotation/fold.js";
import type { RotationState } from "../../domain/rotation/state.js";
import { openDesk } from "./desk.js";

test("H37 H38: an approval counts no longer than the policy lets it, whatever its signer wrote into it", async () => {
  const desk = await openDesk();
  const { deps, clock } = desk;
  const { validForMs } = (await deps.systems(desk.credential)).policy.approval;
  const { state } = desk;
  const digest = state.plan?.digest ?? "";
  const verify = (document: string) => desk.run(() => verifyActivity(deps)({ state, document }));
  const forEver = { digest, expiresAt: clock.now + 100 * validForMs };
  const old = await desk.paper("ann", { ...forEver, issuedAt: clock.now - validForMs });
  expect(await verify(old)).toMatchObject({ accepted: false, sentence: expect.stringMatching(/expired/) });
  const document = await desk.paper("ann", { ...forEver, id: "doc_1" });
  const expiresAt = clock.now + validForMs;
  const decided = [{ type: "decided", decision: { id: "doc_1", expiresAt } }];
  expect(await verify(document)).toMatchObject({ accepted: true, events: decided });
  const [kept] = await desk.fresh.sql<{ at: Date }>(
    "select expires_at as at from rekey_inventory.decisions where jti = 'doc_1'",
  );
  expect(kept?.at.getTime()).toBe(expiresAt);
});

test("H7: an attempt whose answer was lost is answered with the decision, as long as the run has not heard of it", async () => {
  const desk = await openDesk();
  const { deps, state } = desk;
  const document = await desk.paper("ann", { digest: state.plan?.digest ?? "", id: "doc_1" });
  const verify = (given: RotationState) => desk.run(() => verifyActivity(deps)({ state: given, document }));
  const { events } = await verify(state);
  expect(await verify(state)).toMatchObject({ accepted: true, events });
  expect(await verify(foldAll(state, events))).toMatchObject({ accepted: true, events: [] });
  expect((await desk.recorded()).decisions).toHaveLength(1);
});
