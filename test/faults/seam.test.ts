/** What each fault does to a call, shown on the seam itself: a fault that is not put in finds nothing. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asyncLocalStorage, Context } from "@temporalio/activity";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Kinds } from "../../adapters/registry.js";
import { Secret } from "../../domain/secret.js";
import { between } from "./seam/between.js";
import { type CallKind, readPlanted } from "./seam/points.js";
import { asExecution, Seam } from "./seam/seam.js";
import { LineReader, type Seen, type SeenValue, WitnessWriter } from "./seam/witness.js";

let folder: string;
let seam: Seam;
const made: string[] = [];
const looks: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rekey-seam-"));
  const outside = async (outage: string) => void made.push(outage);
  const looked = async (point: string) => void looks.push(`${point} after ${made.length}`);
  seam = new Seam(new WitnessWriter(join(folder, "witness"), join(folder, "values")), outside, looked);
  made.length = 0;
  looks.length = 0;
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  vi.restoreAllMocks();
});

function inActivity<T>(
  activityType: string,
  body: () => Promise<T>,
  workflowId = "rotate/cred_1",
): Promise<T> {
  const context = Object.create(Context.prototype, {
    info: { value: { activityType, workflowExecution: { workflowId, runId: "run" } } },
  }) as Context;
  return asyncLocalStorage.run(context, body);
}

/** A call that notes that it was made, and answers with how often that was. */
function call(activity: string, name: string, kind: CallKind = "change"): Promise<string> {
  const make = async () => {
    made.push(name);
    return `${made.length}`;
  };
  return inActivity(activity, () => asExecution(() => seam.pass({ call: name, kind, make, again: make })));
}

function plant(text: string): void {
  seam.plan([readPlanted(`issue.issuer.enable.1/${text}`)]);
}

function seen(): string[] {
  const lines = readFileSync(join(folder, "witness"), "utf8").trim().split("\n");
  return lines
    .map((line) => JSON.parse(line) as Seen)
    .map(({ what, code }) => `${what} ${code ?? ""}`.trim());
}

test("before-error: the call is not made", async () => {
  plant("before-error");
  await expect(call("issue", "issuer.enable")).rejects.toMatchObject({ code: "unreachable" });
  expect(made).toEqual([]);
  expect(seen()).toEqual(["begin", "planted before-error", "threw unreachable"]);
});

test("after-error and after-timeout: the call is made, and nobody hears of it", async () => {
  plant("after-error");
  await expect(call("issue", "issuer.enable")).rejects.toBeInstanceOf(TypeError);
  plant("after-timeout");
  await expect(call("issue", "issuer.enable")).rejects.toMatchObject({ code: "unknown-outcome" });
  expect(made).toHaveLength(2);
});

test("before-late: the call is given up, and takes effect after the next step's change", async () => {
  plant("before-late");
  await expect(call("issue", "issuer.enable")).rejects.toMatchObject({ code: "unknown-outcome" });
  await call("seize", "issuer.survey", "ask");
  expect(made).toEqual(["issuer.survey"]);
  await call("seize", "issuer.seize");
  expect(made).toEqual(["issuer.survey", "issuer.seize", "issuer.enable"]);
  expect(seen()).toContain("late-end");
});

test("after-late: the call succeeds, once more behind the next step, and once more when the case is over", async () => {
  plant("after-late");
  await expect(call("issue", "issuer.enable")).resolves.toBe("1");
  await call("deliver", "store.promote");
  expect(made).toEqual(["issuer.enable", "store.promote", "issuer.enable"]);
  await seam.finish();
  expect(made).toHaveLength(4);
  // The harness looks at the world right before and right after each copy.
  expect(looks).toEqual([2, 3, 3, 4].map((count) => `issue.issuer.enable.1 after ${count}`));
});

test("duplicates: twice at once, and twice one after the other", async () => {
  plant("before-duplicate");
  await call("issue", "issuer.enable");
  expect(made).toHaveLength(2);
  plant("after-duplicate");
  await expect(call("issue", "issuer.enable")).resolves.toBe("4");
});

test("kill: SIGKILL to the own process, before the call or after it", async () => {
  const kill = vi.spyOn(process, "kill").mockReturnValue(true);
  plant("before-kill");
  void call("issue", "issuer.enable");
  await expect.poll(() => kill.mock.calls).toContainEqual([process.pid, "SIGKILL"]);
  expect(made).toEqual([]);
  plant("after-kill");
  void call("issue", "issuer.enable");
  await expect.poll(() => kill.mock.calls.length).toBe(2);
  expect(made).toEqual(["issuer.enable"]);
});

test("an outage is brought about before the call, which then goes on", async () => {
  plant("before-inventory-hung");
  await call("issue", "issuer.enable");
  expect(made).toEqual(["inventory-hung", "issuer.enable"]);
});

test("a fault is put in once, at the call that was named and at no other", async () => {
  seam.plan([readPlanted("issue.issuer.enable.2/before-error")]);
  await call("issue", "issuer.enable");
  await call("look", "issuer.enable");
  await expect(call("issue", "issuer.enable")).rejects.toMatchObject({ code: "unreachable" });
  await call("issue", "issuer.enable");
  expect(made).toHaveLength(3);
});

test("a call's frame is known wherever it stands among the arguments, and a late call has one of its own", async () => {
  const frames: unknown[] = [];
  const stage = async (_version: string, _document: object, call: unknown, instead?: object) => {
    made.push(instead === undefined ? "stage" : "stage instead");
    frames.push(call);
  };
  const given = {
    issuers: {},
    consumers: {},
    sources: {},
    notifiers: {},
    stores: { plain: { create: () => ({ stage }) } },
  };
  const { stores } = between(seam).kinds?.(given as unknown as Kinds) ?? given;
  const store = (stores.plain as unknown as { create(): { stage: typeof stage } }).create();
  seam.plan([readPlanted("issue.store.stage.1/after-duplicate")]);
  const frame = { signal: AbortSignal.timeout(60_000) };
  await inActivity("issue", () => asExecution(() => store.stage("ver_1", {}, frame, {})));
  expect(made).toEqual(["stage instead", "stage instead"]);
  expect(frames[0]).toBe(frame);
  expect(frames[1]).toEqual({ signal: expect.any(AbortSignal) });
  expect(frames[1]).not.toBe(frame);
});

test("what is sent again behind its activity still bears the value, which is cleared with the activity", async () => {
  const values: string[] = [];
  const enable = async (_change: object, document: Record<string, Secret>) => {
    values.push(document.password?.reveal() ?? "none");
  };
  const given = {
    stores: {},
    consumers: {},
    sources: {},
    notifiers: {},
    issuers: { plain: { create: () => ({ enable }) } },
  };
  const { issuers } = between(seam).kinds?.(given as unknown as Kinds) ?? given;
  const issuer = (
    issuers.plain as unknown as { create(): { enable(...args: unknown[]): Promise<void> } }
  ).create();
  plant("after-late");
  const document = { password: new Secret("made for this test") };
  const frame = { signal: AbortSignal.timeout(60_000) };
  const change = { slot: "a", expect: "", tag: { version: "ver_2" } };
  await inActivity("issue", () => asExecution(() => issuer.enable(change, document, frame)));
  document.password.clear();
  await call("deliver", "store.promote");
  await seam.finish();
  expect(values).toEqual(["made for this test", "made for this test", "made for this test"]);
  // Which version it was is known of the call, and of its value.
  const witnessed = await new LineReader<Seen>(join(folder, "witness")).read();
  const begun = witnessed.filter(({ point, what }) => point.includes("enable") && what === "begin");
  expect(begun.map(({ version }) => version)).toEqual(["ver_2"]);
  const kept = await new LineReader<SeenValue>(join(folder, "values")).read();
  expect(kept.map(({ version }) => version)).toEqual(["ver_2"]);
});

test("a source is asked anew for each part of a reading, and closed when one is lost", async () => {
  let closed = 0;
  async function* scan() {
    try {
      yield* ["first", "second", "third"];
    } finally {
      closed += 1;
    }
  }
  const given = {
    ...{ stores: {}, consumers: {}, issuers: {}, notifiers: {} },
    sources: { plain: { create: () => ({ scan }) } },
  };
  const { sources } = between(seam).kinds?.(given as unknown as Kinds) ?? given;
  const source = (
    sources.plain as unknown as { create(): { scan(...args: unknown[]): AsyncIterable<string> } }
  ).create();
  seam.plan([readPlanted("scan.source.scan.2/before-error")]);
  const parts: string[] = [];
  const reading = inActivity("scan", () =>
    asExecution(async () => {
      for await (const part of source.scan(null, { signal: AbortSignal.timeout(60_000) })) parts.push(part);
    }),
  );
  await expect(reading).rejects.toMatchObject({ code: "unreachable" });
  expect(parts).toEqual(["first"]);
  expect(closed).toBe(1);
});

test("outside of a rotation's activity and of a reading nothing is counted and nothing goes wrong", async () => {
  plant("before-error");
  const make = async () => "made";
  const pass = () => seam.pass({ call: "issuer.enable", kind: "change", make, again: make });
  await expect(pass()).resolves.toBe("made");
  await expect(inActivity("issue", pass, "preview/cred_1/run")).resolves.toBe("made");
});

test("a reading is named by its source: of two at once each has calls of its own", async () => {
  const scan = ({ source }: { readonly source: string }) => {
    made.push(source);
    return inActivity("scan", () => asExecution(async () => `${source} is read`), "discover/src_1");
  };
  const { scan: seamed } = between(seam).activities?.({ scan } as never) ?? {};
  const reading = (source: string) =>
    inActivity("scan", () => (seamed as unknown as typeof scan)({ source }), "discover/src_1");
  seam.plan([readPlanted("scan_log.activity.run.1/before-error")]);
  const both = await Promise.allSettled([reading("sessions"), reading("log")]);
  expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  expect(made).toEqual(["sessions"]);
});
