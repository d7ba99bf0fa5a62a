/** What every consumer adapter promises, the fake included. One row in `consumers/` runs it against one of them. */
import { afterEach, describe, expect, test } from "vitest";
import type { Consumer, InstanceSeen, ObserveRequest } from "../../adapters/ports.js";
import { RekeyError } from "../../domain/errors.js";
import { formsOf } from "../support/canaries.js";
import { calling } from "../support/engine.js";

/** A consumer that holds `before` and whose world the test can move. Absent abilities are those that the kind has not. */
export interface ConsumerHarness {
  readonly consumer: Consumer;
  /** The request as it is now; its first two candidates are the versions before and after. */
  request(): ObserveRequest;
  readonly before: string;
  readonly after: string;
  /** How many instances there are. */
  readonly count: number;
  /** Puts the version where the consumer takes it from, and tells it in the kind's own way. */
  move(version: string): Promise<void>;
  /** Keeps one instance from moving, and names it. */
  stay?(): Promise<string>;
  /** Makes one instance impossible to ask, and names it. */
  silence?(): Promise<string>;
  /** Keeps one instance from doing any work with what it takes up, and names it. */
  idle?(): Promise<string>;
  /** Makes the listing impossible. */
  unlist?(): Promise<void>;
  /** Values that must not show anywhere. */
  readonly canaries: readonly string[];
  close(): Promise<void>;
}

/** Runs the contract. `make` is called for each test; what it made is closed afterwards. */
export function consumerContract(name: string, make: () => Promise<ConsumerHarness>): void {
  describe(`consumer contract: ${name}`, () => {
    let harness: ConsumerHarness | undefined;
    const made = async () => {
      harness = await make();
      return harness;
    };
    const observe = (from: ConsumerHarness) => from.consumer.observe(from.request(), calling());
    const expectSilent = (from: ConsumerHarness, shown: unknown) => {
      const text = `${String(shown)} ${JSON.stringify(shown)} ${shown instanceof Error ? shown.stack : ""}`;
      for (const canary of from.canaries)
        for (const form of formsOf(canary)) expect(text).not.toContain(form);
    };
    afterEach(async () => {
      await harness?.consumer.close();
      await harness?.close();
      harness = undefined;
    });

    test("every instance is shown once, in words, and on the version that it holds", async () => {
      const from = await made();
      await from.move(from.before);
      const seen = await observe(from);
      expect(new Set(seen.map((entry) => entry.instance)).size).toBe(from.count);
      expect(seen).toHaveLength(from.count);
      for (const entry of seen) {
        expect({ ...entry, version: held(entry) }).toMatchObject({ version: from.before, working: true });
        expect(entry.sentence).toMatch(/^\S.*\.$/);
      }
      expectSilent(from, seen);
    });

    test("a move shows, and so does the way back", async () => {
      const from = await made();
      for (const version of [from.before, from.after, from.before]) {
        await from.move(version);
        expect(versions(await observe(from))).toEqual(new Set([version]));
      }
    });

    test("H10: verification is not monotonic, each look is a new one and names the same instances", async () => {
      const from = await made();
      await from.move(from.after);
      const names = (seen: InstanceSeen[]) => seen.map((entry) => entry.instance).sort();
      const first = await observe(from);
      expect(names(await observe(from))).toEqual(names(first));
      await from.move(from.before);
      expect(versions(await observe(from))).toEqual(new Set([from.before]));
    });

    test("H10: the one instance that stays behind is seen", async () => {
      const from = await made();
      if (from.stay === undefined) return expect(from.count).toBe(1);
      await from.move(from.before);
      const stale = await from.stay();
      await from.move(from.after);
      for (const entry of await observe(from)) {
        expect(held(entry)).toBe(entry.instance === stale ? from.before : from.after);
      }
    });

    test("an instance that cannot be asked has no version and does not work", async () => {
      const from = await made();
      if (from.silence === undefined) return expect(from.count).toBe(1);
      await from.move(from.before);
      const silent = await from.silence();
      const seen = await observe(from);
      expect(seen).toHaveLength(from.count);
      expect(seen.find((entry) => entry.instance === silent)).toMatchObject({
        version: null,
        working: false,
      });
      expect(seen.filter((entry) => held(entry) === from.before)).toHaveLength(from.count - 1);
      expectSilent(from, seen);
    });

    test("H39: an instance that did nothing with what it took up is not working", async () => {
      const from = await made();
      if (from.idle === undefined) return expect(from.count).toBe(1);
      await from.move(from.before);
      const idle = await from.idle();
      await from.move(from.after);
      const seen = await observe(from);
      expect(seen.filter((entry) => !entry.working).map((entry) => entry.instance)).toEqual([idle]);
    });

    test("no listing at all is an error and not an empty result", async () => {
      const from = await made();
      if (from.unlist === undefined) return expect((await observe(from)).length).toBe(from.count);
      await from.unlist();
      const error = await observe(from).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(RekeyError);
      expectSilent(from, error);
    });

    test("a version that has no part in the rotation is not shown", async () => {
      const from = await made();
      await from.move(from.before);
      const request = { ...from.request(), candidates: [{ version: "elsewhere", slot: "b" }] };
      const seen = await from.consumer.observe(request, calling());
      expect(versions(seen)).toEqual(new Set([null]));
      expectSilent(from, seen);
    });

    test("telling it twice leaves the same as telling it once", async () => {
      const from = await made();
      await from.move(from.after);
      const { credential, consumer } = from.request();
      const told = { credential, consumer, version: from.after };
      const once = await observe(from);
      await from.consumer.deliver?.(told, calling());
      await from.consumer.deliver?.(told, calling());
      expect(await observe(from)).toEqual(once);
    });

    test("nothing outlives its call: it ends, and as `unreachable` where it has no result", async () => {
      const from = await made();
      await from.move(from.before);
      const call = { signal: AbortSignal.abort() };
      const { credential, consumer } = from.request();
      const begun = Date.now();
      const endings = await Promise.allSettled([
        from.consumer.observe(from.request(), call),
        from.consumer.deliver?.({ credential, consumer, version: from.before }, call),
      ]);
      expect(Date.now() - begun).toBeLessThan(3_000);
      for (const ending of endings) {
        if (ending.status === "rejected") expect(ending.reason).toMatchObject({ code: "unreachable" });
      }
    });

    test("its findings are codes and sentences without a value", async () => {
      const from = await made();
      await from.move(from.before);
      const findings = await from.consumer.preflight(calling());
      for (const finding of findings) {
        expect(finding.code).toMatch(/^[a-z][a-z-]+$/);
        expect(finding.sentence).toMatch(/^\S.*\.$/);
        expect(finding.severity).not.toBe("refuse");
      }
      expectSilent(from, findings);
    });
  });
}

function versions(seen: readonly InstanceSeen[]): Set<string | null> {
  return new Set(seen.map(held));
}

/** The version that an instance holds, or, of one that only checks, the one that it lets in. */
function held({ version, accepts }: InstanceSeen): string | null {
  return accepts === undefined ? version : (accepts[0] ?? null);
}
