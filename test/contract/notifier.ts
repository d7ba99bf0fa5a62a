/** What every notifier promises. One row in `notifiers/` runs it against one of them. */
import { afterEach, describe, expect, test } from "vitest";
import type { Notice, Notifier } from "../../adapters/ports.js";
import { RekeyError } from "../../domain/errors.js";
import { formsOf } from "../support/canaries.js";
import { calling } from "../support/engine.js";

/** How the receiving end takes notices: well, badly for a while, badly for ever, not at all, or never to an end. */
export type Reception = "well" | "fails-once" | "fails" | "refuses" | "hangs";

/** A notifier with the other end in the test's hands. */
export interface NotifierHarness {
  readonly notifier: Notifier;
  receive(how: Reception): Promise<void>;
  /** What has arrived and was taken, in order; each with the key by which a repetition is known. */
  received(): Promise<{ readonly key: string; readonly notice: Record<string, unknown> }[]>;
  /** What the other end says when it fails, which must not show. */
  readonly canary: string;
  close(): Promise<void>;
}

const notice: Notice = {
  id: "n-1",
  kind: "approval-asked",
  recipients: ["owner@example.com"],
  subject: "orders-db: please approve",
  text: "Line one.\nÜmlaut, \"quotes\" and 'more'.",
  rotation: "r1",
};

/** Runs the contract. `make` is called for each test; what it made is closed afterwards. */
export function notifierContract(name: string, make: () => Promise<NotifierHarness>): void {
  describe(`notifier contract: ${name}`, () => {
    let harness: NotifierHarness | undefined;
    const made = async (how: Reception) => {
      harness = await make();
      await harness.receive(how);
      return harness;
    };
    const failure = async (from: NotifierHarness, timeoutMs?: number) => {
      const error = await from.notifier.notify(notice, calling(timeoutMs)).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(RekeyError);
      const shown = `${String(error)} ${JSON.stringify(error)} ${(error as Error).stack}`;
      for (const form of formsOf(from.canary)) expect(shown).not.toContain(form);
      return error as RekeyError;
    };
    afterEach(async () => {
      await harness?.close();
      harness = undefined;
    });

    test("a notice arrives whole, and with nothing that is not a notice's", async () => {
      const from = await made("well");
      await from.notifier.notify({ ...notice, extra: "not for others" } as Notice, calling());
      const [got] = await from.received();
      expect(got?.notice).toMatchObject(notice);
      expect(JSON.stringify(got?.notice)).not.toContain("not for others");
    });

    test("the same notice twice is known by its key", async () => {
      const from = await made("well");
      await from.notifier.notify(notice, calling());
      await from.notifier.notify(notice, calling());
      expect((await from.received()).map((got) => got.key)).toEqual(["n-1", "n-1"]);
    });

    test("a failure that passes is tried again", async () => {
      const from = await made("fails-once");
      await from.notifier.notify(notice, calling());
      expect(await from.received()).toHaveLength(1);
    });

    test("a failure that stays is an error after a bounded number of tries, in our own words", async () => {
      const from = await made("fails");
      expect((await failure(from)).code).toBe("unreachable");
    });

    test("a refusal is not tried again", async () => {
      const from = await made("refuses");
      expect((await failure(from)).code).not.toBe("unreachable");
    });

    test("whoever never answers does not hold us", async () => {
      const from = await made("hangs");
      const begun = Date.now();
      expect((await failure(from, 500)).code).toBe("unreachable");
      expect(Date.now() - begun).toBeLessThan(4_000);
    });

    test("its findings are codes and sentences", async () => {
      const from = await made("well");
      for (const finding of await from.notifier.preflight(calling())) {
        expect(finding.code).toMatch(/^[a-z][a-z-]+$/);
        expect(finding.sentence).toMatch(/^\S.*\.$/);
      }
    });
  });
}
