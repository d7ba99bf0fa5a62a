/**
 * The contract of every issuer, as the rotation protocol relies on it. Each kind passes it against the real
 * server, the in-memory fake first, so that what the engine is tested with behaves like what it runs with.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FencedChange, Issuer, SecretDocument } from "../../adapters/ports.js";
import { RekeyError } from "../../domain/errors.js";
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

/** The document, and put into the list: for a value that the engine makes before anybody hears of it. */
function keptIn(documents: SecretDocument[], document: SecretDocument): SecretDocument {
  documents.push(document);
  return document;
}

/** Registers the suite for one kind. `make` gives a fresh account each time. */
export function issuerContract(name: string, make: () => Promise<IssuerWorld>): void {
  describe(`issuer contract: ${name}`, () => {
    let world: IssuerWorld;
    let issuer: Issuer;
    let a: string;
    /** The other slot; absent where an account has one. */
    let b: string | undefined;

    beforeEach(async () => {
      world = await make();
      issuer = world.open();
      [a, b] = world.slots;
    });
    afterEach(async () => {
      await issuer.close();
      await world.dispose();
    });

    const first = tag("v1", 1);
    const off = tag("v1", 2, { state: "disabled" });

    /** A fresh value in the change's slot: set by the engine, or made by the issuer where that is the kind's nature. */
    async function issue(change: FencedChange, frame = call()): Promise<SecretDocument> {
      const documents: SecretDocument[] = [];
      const work = issuer.mint
        ? issuer.mint(change, async (made) => void documents.push(made), frame)
        : issuer.enable(change, keptIn(documents, issuer.generate(change.slot)), frame);
      expect(await work).toBe("applied");
      const [document] = documents;
      if (document === undefined) throw new Error("no value was handed over");
      return document;
    }

    /** Slot a enabled with a fresh document under the tag `first`. */
    const enabled = () => issue(changeOf(a, null, first));

    /** Slot a in use again after it was off: with the same value where the kind can do that, and else with another one. */
    async function enabledAgain(document: SecretDocument, change: FencedChange): Promise<SecretDocument> {
      if (!issuer.traits.disableReversible) return issue(change);
      expect(await issuer.enable(change, document, call())).toBe("applied");
      return document;
    }

    /** A consumer's session with the document. */
    const open = (document: SecretDocument) => world.connect(usernameOf(document), passwordOf(document));

    /** How many sessions a look counts in the slot; `null` for those that tell no slot. */
    async function countOf(slot: string | null): Promise<number> {
      const { sessions } = await issuer.survey(call());
      return sessions.filter((group) => group.slot === slot).reduce((sum, { count }) => sum + count, 0);
    }

    async function works(document: SecretDocument): Promise<boolean> {
      const session = await open(document);
      await session?.close();
      return session !== null;
    }

    const slotOf = async (slot: string) => {
      const found = (await issuer.survey(call())).slots.find((candidate) => candidate.slot === slot);
      if (!found) throw new Error(`no slot ${slot}`);
      const { publicName: _name, ...rest } = found;
      return rest;
    };

    it("shows a fresh account: every slot off and untagged, its identity, its own mark", async () => {
      const view = await issuer.survey(call());
      expect(view.slots).toEqual(world.slots.map((slot) => ({ slot, tag: "", enabled: false })));
      expect(view.identity).not.toBe("");
      expect(view.nodes.some((node) => node.role === "primary")).toBe(true);
      expect(view.sessions).toEqual([]);
      expect(view.watermarkSeen).toBe(true);
      expect(Math.abs(view.at - Date.now())).toBeLessThan(60_000);
    });

    it("a sound account has nothing that refuses", async () => {
      const findings = await issuer.preflight(call());
      expect(findings.filter((finding) => finding.severity === "refuse")).toEqual([]);
    });

    it("values differ, those of the engine carry at least 256 bits, and none is for a slot of others", async () => {
      const byEngine = issuer.traits.valueBy === "engine";
      expect(issuer.mint === undefined).toBe(byEngine);
      const documents = byEngine
        ? Array.from({ length: 20 }, () => issuer.generate(a))
        : [await enabled(), await issue(changeOf(a, first, tag("v2", 2)))];
      const values = new Set(documents.map(passwordOf));
      expect(values.size).toBe(documents.length);
      for (const value of byEngine ? values : [])
        expect(Buffer.from(value, "base64url").length).toBeGreaterThanOrEqual(32);
      for (const document of documents) expect(issuer.slotOf(document)).toBe(a);
      expect(() => issuer.generate("postgres")).toThrow(RekeyError);
    });

    it("tells whose document one is, and that one is nobody's", async () => {
      const slot = b ?? a;
      const document = await issue(changeOf(slot, null, first));
      expect(issuer.slotOf(document)).toBe(slot);
      expect(issuer.slotOf({ password: document.password as never })).toBeNull();
    });

    it("enables a slot with exactly the document's value and proves it", async () => {
      const document = await enabled();
      expect(await works(document)).toBe(true);
      expect(await slotOf(a)).toEqual({ slot: a, tag: formatTag(first), enabled: true });
      const proofs = await issuer.prove(a, document, call());
      expect(proofs.length).toBeGreaterThan(0);
      expect(proofs.filter((proof) => !proof.ok)).toEqual([]);
      expect((await issuer.proveRefused(a, document, call())).some((proof) => proof.ok)).toBe(false);
    });

    it("does not prove a value that is not the slot's", async () => {
      const document = await enabled();
      const other = anotherValue(issuer, a, document);
      expect((await issuer.prove(a, other, call())).some((proof) => proof.ok)).toBe(false);
      const refused = world.unknown?.(document) ?? other;
      expect((await issuer.proveRefused(a, refused, call())).every((proof) => proof.ok)).toBe(true);
    });

    it("twice is as good as once, also from another process", async () => {
      const document = await enabled();
      const other = world.open();
      expect(await other.enable(changeOf(a, null, first), document, call())).toBe("already");
      expect(await works(document)).toBe(true);
      expect(await issuer.disable(changeOf(a, first, off), call())).toBe("applied");
      expect(await other.disable(changeOf(a, first, off), call())).toBe("already");
      const gone = tag("v1", 3, { state: "destroyed" });
      expect(await issuer.destroy(changeOf(a, off, gone), call())).toBe("applied");
      expect(await other.destroy(changeOf(a, off, gone), call())).toBe("already");
      await other.close();
    });

    it("refuses a document that lacks a field, names another slot, or is for no slot of ours", async () => {
      const document = await enabled();
      const lacking = { username: document.username } as SecretDocument;
      expect(await codeOf(issuer.enable(changeOf(a, first, off), lacking, call()))).toBe("value-missing");
      if (b !== undefined)
        expect(await codeOf(issuer.enable(changeOf(b, null, first), document, call()))).toBe("bad-input");
      const stranger = changeOf("postgres", null, first);
      expect(await codeOf(Promise.resolve().then(() => issuer.destroy(stranger, call())))).toBe("bad-input");
    });

    it("H3: a change that expects another tag changes nothing", async () => {
      const document = await enabled();
      const stale = changeOf(a, tag("v0", 0), off);
      expect(await codeOf(issuer.disable(stale, call()))).toBe("fenced");
      expect(await codeOf(issuer.destroy(stale, call()))).toBe("fenced");
      expect(await codeOf(issuer.seize(stale, call()))).toBe("fenced");
      const other = anotherValue(issuer, a, document);
      const work = issuer.enable(changeOf(a, tag("v0", 0), tag("v2", 5)), other, call());
      expect(await codeOf(work, passwordOf(other))).toBe("fenced");
      expect(await works(document)).toBe(true);
      expect((await slotOf(a)).tag).toBe(formatTag(first));
    });

    it("H3: a state that came back does not let a late change through", async () => {
      const document = await enabled();
      expect(await issuer.disable(changeOf(a, first, off), call())).toBe("applied");
      const live = await enabledAgain(document, changeOf(a, off, tag("v1", 3)));
      // The late one expected the first "v1 enabled"; this one looks the same but for its number.
      expect(
        await codeOf(issuer.disable(changeOf(a, first, tag("v1", 9, { state: "disabled" })), call())),
      ).toBe("fenced");
      expect(await works(live)).toBe(true);
    });

    it("H8: a seized slot keeps its value and refuses the epoch before", async () => {
      const document = await enabled();
      const seized = tag("v1", 4, { epoch: 2 });
      expect(await issuer.seize(changeOf(a, first, seized), call())).toBe("applied");
      expect(await issuer.seize(changeOf(a, first, seized), call())).toBe("already");
      expect(await works(document)).toBe(true);
      expect(await codeOf(issuer.disable(changeOf(a, first, off), call()))).toBe("fenced");
      expect(await works(document)).toBe(true);
    });

    it("H8: the tag of another installation refuses, expected or not", async () => {
      const document = await enabled();
      const theirs = tag("v1", 7, { installation: "elsewhere" });
      await world.overwriteTag(a, formatTag(theirs));
      expect(await codeOf(issuer.disable(changeOf(a, first, off), call()))).toBe("foreign-installation");
      expect(await codeOf(issuer.disable(changeOf(a, theirs, off), call()))).toBe("foreign-installation");
      expect(await codeOf(issuer.seize(changeOf(a, theirs, off), call()))).toBe("foreign-installation");
      expect(await works(document)).toBe(true);
    });

    it("H9: changes nothing at a server with another identity, and says so", async () => {
      const { identity } = await issuer.survey(call());
      const document = await enabled();
      const clone = await world.openClone();
      expect((await clone.survey(call())).identity).not.toBe(identity);
      const before = await clone.survey(call());
      const work = clone.disable(changeOf(a, first, off, identity), call());
      expect(await codeOf(work)).toBe("wrong-server");
      expect((await clone.survey(call())).slots).toEqual(before.slots);
      await clone.close();
      expect(await issuer.disable(changeOf(a, first, off, identity), call())).toBe("applied");
      expect(await works(document)).toBe(false);
    });

    it("H23: disabling ends every session that may be the slot's and no other, and is refused afterwards", async () => {
      const document = await enabled();
      const sibling = b === undefined ? null : await issue(changeOf(b, null, tag("v2", 2)));
      const mine = await Promise.all([1, 2, 3].map(() => open(document)));
      const theirs = sibling && (await open(sibling));
      const tells = issuer.traits.sessionsTellVersions;
      const counts = !issuer.traits.sessionless;
      expect(await countOf(tells ? a : null)).toBe(!counts ? 0 : tells || sibling === null ? 3 : 4);
      if (tells && b !== undefined) expect(await countOf(b)).toBe(counts ? 1 : 0);

      await issuer.disable(changeOf(a, first, off), call());
      for (const session of mine) expect(await session?.alive()).toBe(false);
      // Where nobody can tell whose a session is, all that began before are ended, and the sibling's logs in again.
      if (sibling !== null) {
        expect(await theirs?.alive()).toBe(tells);
        expect(await works(sibling)).toBe(true);
      }
      expect(await works(document)).toBe(false);
      expect(await slotOf(a)).toEqual({ slot: a, tag: formatTag(off), enabled: false });
      expect(await countOf(a)).toBe(0);
      expect(await countOf(null)).toBe(0);
      expect((await issuer.proveRefused(a, document, call())).every((proof) => proof.ok)).toBe(true);
      expect((await issuer.prove(a, document, call())).some((proof) => proof.ok)).toBe(false);
      await Promise.all([...mine, theirs].map((session) => session?.close()));
    });

    it("H23: sessions that tell no version are renewed by their age, and nothing else is touched", async () => {
      const { traits } = issuer;
      expect(issuer.renew === undefined).toBe(traits.sessionsTellVersions);
      if (issuer.renew === undefined) return;
      const document = await enabled();
      const before = await open(document);
      const { at, sessions } = await issuer.survey(call());
      await issuer.renew(() => null, call());
      // An age may be told in whole seconds, and one second later it is one more.
      const oldest = Math.min(...sessions.map(({ oldestAt }) => oldestAt));
      await issuer.renew(() => oldest - 2_000, call());
      expect(await before?.alive()).toBe(true);
      await issuer.renew(() => at, call());
      expect(await before?.alive()).toBe(false);
      const since = await open(document);
      await issuer.renew(() => at - 60_000, call());
      expect(await since?.alive()).toBe(true);
      expect((await slotOf(a)).tag).toBe(formatTag(first));
      await Promise.all([before, since].map((session) => session?.close()));
    });

    it("H29: what was disabled is enabled again with the same value, or the kind says that it cannot be", async () => {
      const document = await enabled();
      await issuer.disable(changeOf(a, first, off), call());
      const work = issuer.enable(changeOf(a, off, tag("v1", 3)), document, call());
      if (!issuer.traits.disableReversible) {
        expect(await codeOf(work, passwordOf(document))).toBe("conflict");
        expect(await works(document)).toBe(false);
        return;
      }
      await work;
      expect((await issuer.prove(a, document, call())).every((proof) => proof.ok)).toBe(true);
      expect(await works(document)).toBe(true);
    });

    it("H12: enabling again sets our value, whatever the holder of a session has set", async () => {
      const document = await enabled();
      const session = await open(document);
      await session?.setOwnValue("attackers-own-value");
      await issuer.disable(changeOf(a, first, off), call());
      const live = await enabledAgain(document, changeOf(a, off, tag("v1", 3)));
      expect(await works(live)).toBe(true);
      expect(await world.connect(usernameOf(live), "attackers-own-value")).toBeNull();
      await session?.close();
    });

    it("H36: destroying forgets the value and drops nothing", async () => {
      const document = await enabled();
      await issuer.disable(changeOf(a, first, off), call());
      const gone = tag("v1", 3, { state: "destroyed" });
      await issuer.destroy(changeOf(a, off, gone), call());
      expect(await world.exists(a)).toBe(true);
      expect(await slotOf(a)).toEqual({ slot: a, tag: formatTag(gone), enabled: false });
      expect((await issuer.proveRefused(a, document, call())).every((proof) => proof.ok)).toBe(true);
      // The slot serves the next version.
      const next = await issue(changeOf(a, gone, tag("v3", 4)));
      expect(await works(next)).toBe(true);
      expect(await works(document)).toBe(false);
    });

    it("a server that does not answer is an error and never an empty listing", async () => {
      const document = await enabled();
      const nobody = world.openUnreachable();
      expect(await codeOf(nobody.survey(call()))).toBe("unreachable");
      expect(await codeOf(nobody.prove(a, document, call()), passwordOf(document))).toBe("unreachable");
      expect(await codeOf(nobody.proveRefused(a, document, call()))).toBe("unreachable");
      expect(await codeOf(nobody.disable(changeOf(a, null, off), call()))).toBe("unreachable");
      await nobody.close();
    });

    it("does nothing once its call is over", async () => {
      const over = { signal: AbortSignal.abort() };
      expect(await codeOf(issuer.survey(over))).toBe("unreachable");
      expect(await codeOf(issue(changeOf(a, null, first), over))).toBe("unreachable");
      expect((await slotOf(a)).tag).toBe("");
    });
  });
}
