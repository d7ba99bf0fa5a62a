/** The audit log is told of an adoption as it is of a rotation; on a real server. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Adopter } from "../../adapters/ports.js";
import { type AuditBody, bodyOf } from "../../domain/audit.js";
import { waitingEntries } from "../../inventory/audit-outbox.js";
import { type PostgresWorld, postgresWorld } from "../contract/issuers/postgres-world.js";
import { openAdoptingDesk } from "./adopting.js";

let world: PostgresWorld;
beforeAll(async () => {
  world = await postgresWorld();
});
afterAll(() => world.stop());

const before = ["logins", "settings", "membership", "act-as-group", "register"];

it("I8: the audit log is told of an adoption from its asking to its end, each intent before its outcome and each once", async () => {
  const desk = await openAdoptingDesk(world);
  const { db } = desk.fresh;
  const record = await desk.ask();
  await desk.ask();
  await world.superuser.query(record?.plan.steps[0]?.run ?? "");
  await desk.say("ann");
  const { adopter } = await desk.adopter();
  const intents: unknown[] = [];
  const watched: Adopter = {
    ...adopter,
    run: async (statements, frame) => {
      intents.push((await told()).at(-1));
      return adopter.run(statements, frame);
    },
  };
  await desk.run(watched);
  await desk.ask({ direction: "undo", requestedBy: "ann", reason: "Bob says so." });
  const mine = (await told()).filter(({ rotation }) => rotation === record?.id);
  const steps = before.slice(1);
  expect(mine.map(({ kind, step, outcome }) => [kind, step, outcome])).toEqual([
    ["opened", undefined, undefined],
    ["decision", undefined, undefined],
    ["outcome", "logins", "done"],
    ...steps.flatMap((step, index) => [
      ["intent", step, undefined],
      ...(index === 0 ? [["burned", undefined, undefined]] : []),
      ["outcome", step, "done"],
    ]),
    ["closed", undefined, "turned"],
  ]);
  // What is about to be run stands there before it is: which statements they are is in what was signed.
  const digest = record?.digest;
  expect(intents).toMatchObject([
    { kind: "burned" },
    ...steps.slice(1).map((step) => ({ kind: "intent", step, digest })),
  ]);
  expect(mine[0]).toMatchObject({ credential: desk.credential.id, mode: "adoption", digest });
  expect(JSON.stringify(mine)).not.toMatch(/\bann\b|\beve\b|Bob says|the first rotation|CREATE ROLE/);

  async function told(): Promise<AuditBody[]> {
    return (await waitingEntries(db, 100)).map(({ body }) => bodyOf(body));
  }
});
