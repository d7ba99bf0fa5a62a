/**
 * The three acts: a rotation with an owner's signature, one that a service refuses and that goes back, and an
 * emergency. Each drives the real engine by the same client that `rekey` uses, and checks what it claims by
 * logging in, not by asking the engine.
 */
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { signDocument } from "../../client/documents.js";
import { reportText, type Said } from "../../domain/documents.js";
import { Secret } from "../../domain/secret.js";
import { sha256Hex } from "../../inventory/hash.js";
import { fingerprinterOf, newId } from "../../worker/installation.js";
import { Followed } from "./follow.js";
import type { Scene } from "./scene.js";
import type { Counts, Customers } from "./services.js";
import { type Story, since } from "./story.js";

/** What an act showed; the tests assert on it. */
export interface ActResult {
  readonly outcome: string;
  readonly counts: Counts;
  /** The login and value that were valid before are refused now, seen by logging in. */
  readonly oldRefused: boolean;
  /** The value that is in the store now logs in. */
  readonly liveWorks: boolean;
  /** Login that each service used last. */
  readonly logins: readonly string[];
}

/** Act 1: an ordinary rotation, with the owner's signature in the middle. */
export async function ordinaryRotation(scene: Scene, customers: Customers, story: Story): Promise<ActResult> {
  story.title("Act 1: an ordinary rotation, signed by the owner, under load");
  const before = customers.counts;
  const old = await scene.liveDocument();
  story.line(Date.now(), `checkout, invoices and reports all log in as ${old.username}`);
  const { workflow } = await scene.rotations.start({
    credential: scene.credential,
    requestedBy: "platform-team",
    reason: "act 1",
  });
  const rotation = new Followed(scene, workflow, story);
  await rotation.untilAsked();
  story.line(Date.now(), "the plan is made; the engine waits for olivia, who owns orders-db");
  const answer = await say(scene, workflow, "olivia", "approve");
  story.line(Date.now(), `olivia signs the plan: ${answer}`, "✓");
  const end = await rotation.untilEnded();
  return report(scene, customers, story, before, old, end.outcome ?? end.standing);
}

/** Act 2: one service refuses to move; the rotation goes back, and everyone still works. */
export async function refusedRotation(scene: Scene, customers: Customers, story: Story): Promise<ActResult> {
  story.title("Act 2: a service refuses to move; everything goes back");
  const before = customers.counts;
  const old = await scene.liveDocument();
  const stubborn = scene.services.find((service) => service.name === "reports");
  await stubborn?.refuse(true);
  story.line(Date.now(), "reports was told not to take up anything new", "!");
  const { workflow } = await scene.rotations.start({
    credential: scene.credential,
    requestedBy: "platform-team",
    reason: "act 2",
  });
  const rotation = new Followed(scene, workflow, story);
  await rotation.untilAsked();
  story.line(Date.now(), `olivia signs the plan: ${await say(scene, workflow, "olivia", "approve")}`, "✓");
  const end = await rotation.untilEnded();
  await stubborn?.refuse(false);
  await pause(settleMs);
  return report(scene, customers, story, before, null, end.outcome ?? end.standing, old);
}

/** Act 3: the live value has leaked; nobody's signature is waited for, and the leaked value is dead at the end. */
export async function emergencyRotation(
  scene: Scene,
  customers: Customers,
  story: Story,
): Promise<ActResult> {
  story.title("Act 3: the password was found in a public repository");
  const before = customers.counts;
  const leaked = await scene.liveDocument();
  const begun = Date.now();
  const reason = "found by the secret scanner";
  const fingerprint = await fingerprinterOf(scene.house.settings);
  const evidence = await fingerprint(new Secret(leaked.password ?? ""));
  const document = await sign(scene, "rashid", "emergency", {
    rotation: "",
    nonce: "",
    digest: sha256Hex(reportText({ reason, leaked: [], evidence })),
  });
  story.line(
    begun,
    "rashid reports it; the value's fingerprint is the live version's, which is evidence enough",
    "!",
  );
  const { workflow } = await scene.rotations.start({
    credential: scene.credential,
    requestedBy: "rashid",
    reason,
    emergency: { documents: [document], reason, leaked: [], evidence },
  });
  const rotation = new Followed(scene, workflow, story);
  const end = await rotation.untilEnded();
  story.line(
    Date.now(),
    `from the report to proof that the leaked value is dead: ${((Date.now() - begun) / 1000).toFixed(1)} s`,
    "✓",
  );
  return report(scene, customers, story, before, leaked, end.outcome ?? end.standing);
}

/** Longest time that a service takes to notice its store again. */
const settleMs = 500;

async function report(
  scene: Scene,
  customers: Customers,
  story: Story,
  before: Counts,
  old: Record<string, string> | null,
  outcome: string,
  kept?: Record<string, string>,
): Promise<ActResult> {
  const live = await scene.liveDocument();
  const [liveWorks, oldRefused] = [
    await logsIn(scene, live),
    old === null ? true : !(await logsIn(scene, old)),
  ];
  const counts = since(customers, before);
  const rows = await scene.shop.query(
    "select distinct on (application_name) usename from pg_stat_activity where application_name in ('checkout','invoices','reports') and usename is not null order by application_name, backend_start desc",
  );
  const logins = rows.map((row) => String(row.usename));
  if (old !== null) {
    const sentence = oldRefused ? "is refused: tried, not assumed" : "still logs in";
    story.line(Date.now(), `the old password of ${old.username} ${sentence}`, oldRefused ? "✓" : "✗");
  } else {
    const same = kept !== undefined && live.username === kept.username && live.password === kept.password;
    story.line(
      Date.now(),
      `the services work with the password that they had: ${same ? "unchanged" : "changed"}`,
      same ? "✓" : "✗",
    );
  }
  story.counts(Date.now(), counts);
  return { outcome, counts, oldRefused, liveWorks, logins };
}

/** Logs in with a document and asks who we are. */
async function logsIn(scene: Scene, document: Record<string, string>): Promise<boolean> {
  const client = new pg.Client({
    host: scene.shop.server.host,
    port: scene.shop.server.port,
    database: scene.shop.database,
    user: document.username,
    password: document.password,
    application_name: "auditor",
    connectionTimeoutMillis: 5_000,
  });
  try {
    await client.connect();
    const { rows } = await client.query("select session_user as me");
    return rows[0]?.me === document.username;
  } catch (error) {
    // 28P01 and 28000 are the refusals; anything else is not one, and must not pass for one.
    if (error instanceof Error && "code" in error && (error.code === "28P01" || error.code === "28000"))
      return false;
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Signs the open plan as a person and sends it; answers with the engine's sentence. */
export async function say(scene: Scene, workflow: string, person: string, says: Said): Promise<string> {
  const [progress, { plan }] = await Promise.all([
    scene.rotations.progress(workflow),
    scene.rotations.plan(workflow),
  ]);
  const { rotation, nonce } = progress;
  const document = await sign(scene, person, says, { rotation, nonce, digest: plan?.digest ?? "" });
  const receipt = await scene.rotations.decide(workflow, document, newId("msg"));
  return receipt.sentence;
}

/** A signed document of a person of the demo. */
export async function sign(
  scene: Scene,
  person: string,
  says: Said,
  bound: { readonly rotation: string; readonly nonce: string; readonly digest: string },
): Promise<string> {
  const key = scene.keys[person];
  if (!key) throw new Error(`the demo knows no ${person}`);
  const now = Date.now();
  return signDocument(
    {
      form: "rekey-decision/1",
      installation: scene.installation,
      credential: "orders-db",
      ...bound,
      says,
      person,
      issuedAt: now,
      expiresAt: now + 3_600_000,
      id: newId("doc"),
    },
    key,
  );
}
