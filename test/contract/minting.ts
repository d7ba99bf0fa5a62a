/**
 * What an issuer promises that makes the values itself (H11): besides the rest of the contract, for which the engine
 * makes them. The one thing that must never happen is a value that counts as there and that nobody has.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Issuer, SecretDocument } from "../../adapters/ports.js";
import { formatTag } from "../../domain/fence.js";
import {
  anotherValue,
  call,
  changeOf,
  codeOf,
  type IssuerWorld,
  passwordOf,
  tag,
  usernameOf,
} from "./issuers/world.js";

/** Registers the suite for one kind. `make` gives a fresh account each time. */
export function mintingContract(name: string, make: () => Promise<IssuerWorld>): void {
  describe(`minting contract: ${name}`, () => {
    let world: IssuerWorld;
    let issuer: Issuer;
    let slot: string;

    beforeEach(async () => {
      world = await make();
      issuer = world.open();
      slot = world.slots[0];
    });
    afterEach(async () => {
      await issuer.close();
      await world.dispose();
    });

    const first = tag("v1", 1);
    const second = tag("v2", 2);
    const mint = (
      change: ReturnType<typeof changeOf>,
      keep: (document: SecretDocument) => Promise<void>,
      frame = call(),
    ) => {
      if (issuer.mint === undefined) throw new Error(`${name} makes no values`);
      return issuer.mint(change, keep, frame);
    };
    const shown = async () => (await issuer.survey(call())).slots.find((each) => each.slot === slot);
    const works = async (document: SecretDocument) => {
      const session = await world.connect(usernameOf(document), passwordOf(document));
      await session?.close();
      return session !== null;
    };

    /** Has a value made and kept. */
    async function kept(change: ReturnType<typeof changeOf>): Promise<SecretDocument> {
      const documents: SecretDocument[] = [];
      const applied = await mint(change, async (document) => void documents.push(document));
      expect(applied).toBe("applied");
      const [document] = documents;
      if (document === undefined || documents.length > 1) throw new Error("a value is handed over once");
      return document;
    }

    it("says so, and hands the value over before the slot counts as having it", async () => {
      expect(issuer.traits.valueBy).toBe("issuer");
      let meanwhile: unknown;
      await mint(changeOf(slot, null, first), async () => {
        meanwhile = await shown();
      });
      expect(meanwhile).toMatchObject({ tag: formatTag(first), unkept: true });
      expect(await shown()).toEqual({ slot, tag: formatTag(first), enabled: true });
    });

    it("makes a value that works and is the slot's", async () => {
      const document = await kept(changeOf(slot, null, first));
      expect(await works(document)).toBe(true);
      expect(issuer.slotOf(document)).toBe(slot);
      expect((await issuer.prove(slot, document, call())).every(({ ok }) => ok)).toBe(true);
    });

    it("H29: a slot has one value at a time, and the one before is dead from then on", async () => {
      const before = await kept(changeOf(slot, null, first));
      const after = await kept(changeOf(slot, first, second));
      expect([await works(before), await works(after)]).toEqual([false, true]);
      expect((await issuer.proveRefused(slot, before, call())).every(({ ok }) => ok)).toBe(true);
    });

    it("H11: a value that could not be kept shows as such, and the next one is another", async () => {
      const lost: SecretDocument[] = [];
      const work = mint(changeOf(slot, null, first), async (document) => {
        lost.push(document);
        throw new Error("the store is away");
      });
      await expect(work).rejects.toThrow();
      expect(await shown()).toMatchObject({ tag: formatTag(first), unkept: true });
      const document = await kept(changeOf(slot, first, second));
      expect(await works(document)).toBe(true);
      for (const other of lost) expect(await works(other)).toBe(false);
      expect(await shown()).not.toHaveProperty("unkept");
    });

    it("H11: a value that was kept before the answer was lost is settled with it, and with no other", async () => {
      const values: SecretDocument[] = [];
      const work = mint(changeOf(slot, null, first), async (document) => {
        values.push(document);
        throw new Error("the worker is gone");
      });
      await expect(work).rejects.toThrow();
      const [document] = values;
      if (document === undefined) throw new Error("nothing was made");
      const other = anotherValue(issuer, slot, document);
      expect(
        await codeOf(issuer.enable(changeOf(slot, first, second), other, call()), passwordOf(other)),
      ).toBe("conflict");
      expect(await issuer.enable(changeOf(slot, first, second), document, call())).toBe("applied");
      expect(await shown()).toEqual({ slot, tag: formatTag(second), enabled: true });
      expect(await works(document)).toBe(true);
    });

    it("H3: a change that expects another tag makes nothing, and hands nothing over", async () => {
      const document = await kept(changeOf(slot, null, first));
      const handed: SecretDocument[] = [];
      const work = mint(changeOf(slot, tag("v0", 0), second), async (made) => void handed.push(made));
      expect(await codeOf(work)).toBe("fenced");
      expect(handed).toEqual([]);
      expect(await works(document)).toBe(true);
    });

    it("makes nothing once its call is over", async () => {
      const work = mint(changeOf(slot, null, first), async () => {}, { signal: AbortSignal.abort() });
      expect(await codeOf(work)).toBe("unreachable");
      expect(await shown()).toMatchObject({ tag: "" });
    });
  });
}
