/**
 * The bare script: the same outside calls as a rotation, one after the other, without Temporal, without
 * records and without a rule. What the engine takes longer is the price of being able to stop anywhere.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Systems } from "../activities/deps.js";
import { type Call, ownFields, type SecretDocument } from "../adapters/ports.js";
import { type FenceTag, formatTag, type TagState } from "../domain/fence.js";
import { Secret } from "../domain/secret.js";
import type { Scene } from "../examples/demo/scene.js";
import { adapterDepsOf, newId, noCodec, randomSecret } from "../worker/installation.js";
import { systemsKeeper } from "../worker/systems.js";

const callMsMax = 30_000;
const lookEveryMs = 25;

/** Rotates `rotations` times by script; each one's time from its first call to its last. */
export async function measureScript(
  scene: Scene,
  rotations: number,
): Promise<{ readonly totalMs: readonly number[] }> {
  const keeper = systemsKeeper(
    scene.db,
    await adapterDepsOf(scene.house.settings, scene.installation, Date.now, noCodec),
  );
  try {
    const systems = await keeper.open(scene.credential);
    const totalMs: number[] = [];
    for (let index = 0; index < rotations; index++) {
      const begun = performance.now();
      await rotateByScript(systems, scene.installation);
      totalMs.push(performance.now() - begun);
    }
    return { totalMs };
  } finally {
    await keeper.close();
  }
}

interface Version {
  readonly id: string;
  readonly slot: string;
}

async function rotateByScript(systems: Systems, installation: string): Promise<void> {
  const { issuer, stores } = systems;
  const call: Call = { signal: AbortSignal.timeout(callMsMax) };
  const rotation = newId("rot");
  const tag = (change: number, version: string, state: TagState): FenceTag => ({
    installation,
    rotation,
    epoch: 1,
    version,
    state,
    change,
  });
  const [view, place, live] = await Promise.all([
    issuer.survey(call),
    stores.main.view(call),
    stores.main.live(call),
  ]);
  if (live === null) throw new Error("the store is empty");
  const origin: Version = { id: place.liveVersion ?? newId("ver"), slot: issuer.slotOf(live) ?? "" };
  const free = view.slots.find((slot) => slot.slot !== origin.slot && !slot.enabled);
  const target: Version = { id: newId("ver"), slot: free?.slot ?? "" };
  const tagOf = (slot: string) => view.slots.find((entry) => entry.slot === slot)?.tag ?? "";
  const known = [origin, target];
  const look = () => lookOnce(systems, installation, rotation, known, call);

  await look();
  await issuer.prove(origin.slot, live, call);

  await look();
  await issuer.prove(origin.slot, live, call);
  await stores.main.live(call);
  await stores.main.stage(origin.id, withIds(live, origin.id), call);
  const document = await stores.main.stage(target.id, withIds(issuer.generate(target.slot), target.id), call);
  const enabled = tag(1, target.id, "enabled");
  await issuer.enable(
    { slot: target.slot, expect: tagOf(target.slot), tag: enabled, identity: view.identity },
    document,
    call,
  );

  await issuer.prove(target.slot, document, call);

  await look();
  await stores.main.promote(
    { slot: "main", expect: place.tag, tag: tag(2, target.id, "enabled"), identity: view.identity },
    call,
  );
  await Promise.all(
    systems.consumers.map(({ name, deliver }) =>
      deliver?.deliver?.({ credential: systems.name, consumer: name, version: target.id }, call),
    ),
  );

  for (let equal = 0; equal < 2; ) {
    const all = await look();
    equal = all.every(
      (instances) =>
        instances.length > 0 && instances.every((seen) => seen.version === target.id && seen.working),
    )
      ? equal + 1
      : 0;
    if (equal < 2) await pause(lookEveryMs);
  }

  await look();
  const disabled = tag(3, origin.id, "disabled");
  const staged = await stores.main.staged(origin.id, call);
  await issuer.disable(
    { slot: origin.slot, expect: tagOf(origin.slot), tag: disabled, identity: view.identity },
    call,
  );
  if (staged) await issuer.proveRefused(origin.slot, staged, call);

  await look();
  const destroyed = tag(4, origin.id, "destroyed");
  await issuer.destroy(
    { slot: origin.slot, expect: formatTag(disabled), tag: destroyed, identity: view.identity },
    call,
  );
  await stores.main.purge(origin.id, call);
}

/** Everything that the engine looks at in one survey, in parallel as it does. */
async function lookOnce(
  systems: Systems,
  installation: string,
  rotation: string,
  known: readonly Version[],
  call: Call,
) {
  const { issuer, stores, consumers, name: credential } = systems;
  const candidates = await Promise.all(
    known.map(async ({ id, slot }) => {
      const attestKey = (await stores.main.staged(id, call))?.[ownFields.attestKey];
      return { version: id, slot, ...(attestKey === undefined ? {} : { attestKey }) };
    }),
  );
  const request = { installation, credential, rotation, candidates, confirmations: [] };
  const ways = consumers.flatMap((consumer) =>
    consumer.observe.map((way) => ({ consumer: consumer.name, way })),
  );
  const [seen] = await Promise.all([
    Promise.all(ways.map(({ consumer, way }) => way.observe({ ...request, consumer }, call))),
    issuer.survey(call),
    issuer.preflight(call),
    stores.main.view(call),
    stores.main.preflight(call),
    ...ways.map(({ way }) => way.preflight(call)),
  ]);
  return seen;
}

function withIds(document: SecretDocument, version: string): SecretDocument {
  const { [ownFields.tag]: _tag, ...fields } = document;
  const attestKey = document[ownFields.attestKey] ?? randomSecret();
  return { ...fields, [ownFields.version]: new Secret(version), [ownFields.attestKey]: attestKey };
}
