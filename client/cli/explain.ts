/** From what a person typed to the explanation: which rotation is meant, what the records and its workflow say of it. */
import { RekeyError } from "../../domain/errors.js";
import { type Explained, explain } from "../../domain/explain.js";
import type { Services } from "./deps.js";
import { policyText } from "./format/policy.js";
import { withVersions } from "./format/rotation.js";
import { asked, lookInto } from "./look.js";
import { credentialNamed, latestRotation, type Subject } from "./subject.js";

/** What is told of one rotation; names instead of ids. */
export interface Explanation {
  readonly credential: string;
  /** The policy that it has now, and why that one. */
  readonly policy: string;
  /** Null where the credential was never rotated. */
  readonly rotation: string | null;
  readonly explained: readonly Explained[];
}

type Asked = Pick<Services, "inventory" | "rotations">;

/** Explains the rotation of that id, or the latest one of the credential of that name. Throws `not-found`. */
export async function explanationOf(services: Asked, word: string, now: number): Promise<Explanation> {
  const { subject, rotation } = await meant(services, word);
  const about = { credential: subject.name, policy: policyText(subject) };
  if (rotation === null) {
    const sentences = [`No rotation of ${subject.name} was ever started.`];
    return { ...about, rotation, explained: [{ about: "where it is", sentences }] };
  }
  const record = await services.inventory.rotation(rotation);
  const look = await lookInto(services, record, now);
  const { workflowId: id } = record;
  const facts =
    look.workflow === "gone" || look.state.closed !== null
      ? null
      : await asked(() => services.rotations.facts(id));
  const names = withVersions(subject.names, look.state);
  const explained = explain({
    recorded: look.state,
    told: facts?.state ?? null,
    workflow: { id, standing: look.workflow },
    openChange: record.openIntent,
    last: look.timeline.at(-1) ?? null,
    ways: await waysOf(services),
    credential: subject.name,
    now,
  });
  return {
    ...about,
    rotation,
    // Ids of Temporal are told as they are: somebody looks for them there.
    explained: explained.map(({ about, sentences }) => ({
      about,
      sentences: about === "records" ? sentences : sentences.map(names.in),
    })),
  };
}

async function meant(
  services: Asked,
  word: string,
): Promise<{ readonly subject: Subject; readonly rotation: string | null }> {
  if (word.startsWith("rot_")) {
    const { id, name } = await rotationNamed(services, word);
    return { subject: await credentialNamed(services, name), rotation: id };
  }
  const subject = await credentialNamed(services, word);
  const latest = await latestRotation(services, subject.id);
  return { subject, rotation: latest?.id ?? null };
}

async function rotationNamed({ inventory }: Asked, id: string) {
  try {
    return await inventory.rotation(id);
  } catch (failure) {
    if (!(failure instanceof RekeyError) || failure.code !== "not-found") throw failure;
    const hint = "`rekey status CREDENTIAL` shows the id of its latest rotation.";
    throw new RekeyError("not-found", `There is no rotation ${id}.`, hint);
  }
}

/** How the estate says that each consumer is looked at. */
async function waysOf({ inventory }: Asked): Promise<Readonly<Record<string, readonly string[]>>> {
  const consumers = await inventory.entries("consumers", { ended: true });
  return Object.fromEntries(
    consumers.map(({ id, body }) => {
      const observe = "observe" in body && Array.isArray(body.observe) ? body.observe : [];
      return [id, observe.map((way: { readonly kind: string }) => way.kind)];
    }),
  );
}
