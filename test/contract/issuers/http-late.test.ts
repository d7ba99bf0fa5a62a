/**
 * What goes wrong between a provider and a value that only it can make: lost answers, late changes, keys that
 * nobody can be asked about, and values that live on. The provider is a process of its own and keeps its state.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Issuer, SecretDocument } from "../../../adapters/ports.js";
import { formatTag } from "../../../domain/fence.js";
import type { ProviderAccount } from "./http-provider.js";
import { contractWorld, type HttpWorld, httpWorld, registerIn, type Shape, unused } from "./http-world.js";
import { call, changeOf, codeOf, passwordOf, tag, usernameOf } from "./world.js";

let provider: HttpWorld;

beforeAll(async () => {
  provider = await httpWorld();
});
afterAll(() => provider.close());

const first = tag("v1", 1);
const second = tag("v2", 2);
const third = tag("v2", 3);

type Scene = Awaited<ReturnType<typeof contractWorld>> & { readonly issuer: Issuer };

async function scene(shape: Shape): Promise<Scene> {
  const world = await contractWorld(provider, shape);
  return { ...world, issuer: world.open() };
}

/** Has a value made and kept. */
async function mint(
  issuer: Issuer,
  change: ReturnType<typeof changeOf>,
  frame = call(),
): Promise<SecretDocument> {
  const documents: SecretDocument[] = [];
  await issuer.mint?.(change, async (document) => void documents.push(document), frame);
  const [document] = documents;
  if (document === undefined) throw new Error("no value was handed over");
  return document;
}

async function works({ connect }: Scene, document: SecretDocument): Promise<boolean> {
  return (await connect(usernameOf(document), passwordOf(document))) !== null;
}

const shown = async ({ issuer }: Scene) => (await issuer.survey(call())).slots[0];
/** Waits until the provider holds a change back. */
async function held(): Promise<void> {
  while ((await provider.seen()).held === 0) await new Promise((resolve) => setTimeout(resolve, 5));
}
const codes = async ({ issuer }: Scene) => (await issuer.preflight(call())).map(({ code }) => code);
/** Keys that are not the strangers' of every account. */
const own = ({ keys }: ProviderAccount) => keys.filter(({ id }) => !id.startsWith("theirs"));

describe.each(["label", "register"] as const)("one slot, by the shape %s", (shape) => {
  const slot = shape === "label" ? "key-1" : "main";
  const makes = shape === "label" ? "/roll" : "POST /v1/keys";

  it.each(["before", "after"] as const)(
    "H11: an answer that is lost %s the value was made is settled by looking, and the next one is made by itself",
    async (when) => {
      const at = await scene(shape);
      const old = await mint(at.issuer, changeOf(slot, null, first));
      const strangers = (await provider.account(at.token)).keys.slice(0, 2);
      await provider.faults({ at: makes, lose: when });
      expect(await codeOf(mint(at.issuer, changeOf(slot, first, second)), passwordOf(old))).toBe(
        "unknown-outcome",
      );
      await provider.faults({});
      // Another process, which knows nothing but what stands there.
      const other = { ...at, issuer: at.open() };
      expect(await shown(other)).toMatchObject({ tag: formatTag(second), unkept: true });
      await other.issuer.seize(changeOf(slot, second, third), call());
      expect(await shown(other)).toMatchObject({ tag: formatTag(third), unkept: true });
      const document = await mint(other.issuer, changeOf(slot, third, tag("v2", 4)));
      expect([await works(at, old), await works(at, document)]).toEqual([false, true]);
      expect(await shown(other)).toEqual({ slot, tag: formatTag(tag("v2", 4)), enabled: true });
      // Nothing is left over, and nobody else's key was touched.
      const account = await provider.account(at.token);
      expect(own(account)).toHaveLength(1);
      expect(account.keys.slice(0, 2)).toEqual(strangers);
    },
  );

  it("H3: whoever was overtaken while the value was made keeps nothing", async () => {
    const at = await scene(shape);
    await mint(at.issuer, changeOf(slot, null, first));
    const kept: SecretDocument[] = [];
    await provider.faults({ at: makes, hold: true });
    const late = at.issuer.mint?.(
      changeOf(slot, first, second),
      async (made) => void kept.push(made),
      call(),
    );
    await held();
    const taken = tag("v2", 3, { epoch: 2 });
    await at.open().seize(changeOf(slot, second, taken), call());
    await provider.release();
    expect(await codeOf(Promise.resolve(late))).toBe("fenced");
    expect(kept).toEqual([]);
    expect(await shown(at)).toMatchObject({ tag: formatTag(taken), unkept: true });
    const document = await mint(at.issuer, changeOf(slot, taken, tag("v2", 4, { epoch: 2 })));
    expect(await works(at, document)).toBe(true);
    expect(own(await provider.account(at.token))).toHaveLength(1);
  });

  it("H29: a provider that refuses to make one leaves the slot as it was, and there is a way back", async () => {
    const at = await scene(shape);
    const old = await mint(at.issuer, changeOf(slot, null, first));
    await provider.faults({ at: shape === "label" ? makes : "DELETE", refuse: 422 });
    const work = mint(at.issuer, changeOf(slot, first, second));
    expect(await codeOf(work, passwordOf(old), "canary")).toBe("unsupported");
    await provider.faults({});
    expect(await shown(at)).toEqual({ slot, tag: formatTag(first), enabled: true });
    expect(await works(at, old)).toBe(true);
    expect((await at.issuer.prove(slot, old, call())).every(({ ok }) => ok)).toBe(true);
  });

  it("the provider keeps all of it over a restart", async () => {
    const at = await scene(shape);
    const document = await mint(at.issuer, changeOf(slot, null, first));
    await provider.restart();
    expect(await shown(at)).toEqual({ slot, tag: formatTag(first), enabled: true });
    expect((await at.issuer.prove(slot, document, call())).every(({ ok }) => ok)).toBe(true);
  });
});

describe("a value of a provider", () => {
  it("H27: one that lives on after it was replaced is not refused, and the proof says so", async () => {
    const slot = "key-1";
    const at = await scene("label");
    const old = await mint(at.issuer, changeOf(slot, null, first));
    await provider.faults({ slow: true });
    await mint(at.issuer, changeOf(slot, first, second));
    const [still] = await at.issuer.proveRefused(slot, old, call());
    expect(still).toMatchObject({ ok: false, sentence: `let it in as ${slot}` });
    await provider.faults({});
    expect((await at.issuer.proveRefused(slot, old, call())).map(({ ok }) => ok)).toEqual([true]);
    expect(at.open({ config: { propagation: "5m" } }).traits.propagationMs).toBe(300_000);
  });

  it("H3: a change that lands long after it was given up shows, where the provider marks its values", async () => {
    const at = await scene("pair");
    const slot = "key-1";
    await mint(at.issuer, changeOf(slot, null, first));
    await provider.faults({ at: "/roll", hold: true });
    const given = new AbortController();
    const late = codeOf(mint(at.open(), changeOf(slot, first, second), given));
    await held();
    given.abort();
    expect(await late).toBe("unknown-outcome");
    await at.issuer.seize(changeOf(slot, second, third), call());
    const fourth = tag("v2", 4);
    const document = await mint(at.issuer, changeOf(slot, third, fourth));
    expect(await codes(at)).toEqual([]);
    await provider.release();
    expect(await works(at, document)).toBe(false);
    expect(await codes(at)).toEqual(["changed-outside"]);
    expect(await shown(at)).toMatchObject({ tag: formatTag(fourth), unkept: true });
  });

  it("H3: of several that have one made at once one goes through, and the others are fenced off", async () => {
    const at = await scene("register");
    const rivals = [1, 2, 3, 4].map((number) =>
      mint(at.open(), changeOf("main", null, tag(`v${number}`, number))),
    );
    const ended = await Promise.allSettled(rivals);
    expect(ended.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(own(await provider.account(at.token))).toHaveLength(1);
    const [only] = await registerIn(at.folder);
    expect(only?.content).toMatchObject({ slot: "main", done: true });
  });

  it("H36: one that can be neither switched off nor removed is replaced by one that nobody has", async () => {
    const at = await scene("pair");
    const document = await mint(at.issuer, changeOf("key-1", null, first));
    const other = await mint(at.issuer, changeOf("key-2", null, tag("v2", 1)));
    const off = tag("v1", 2, { state: "disabled" });
    await provider.faults({ at: "/roll", lose: "before" });
    expect(await codeOf(at.issuer.disable(changeOf("key-1", first, off), call()))).toBe("unknown-outcome");
    // What was not done does not show as done, and the very same attempt goes on.
    expect(await shown(at)).toEqual({ slot: "key-1", tag: formatTag(off), enabled: true });
    expect(await works(at, document)).toBe(true);
    expect(await at.issuer.disable(changeOf("key-1", first, off), call())).toBe("applied");
    expect(await shown(at)).toEqual({ slot: "key-1", tag: formatTag(off), enabled: false });
    expect([await works(at, document), await works(at, other)]).toEqual([false, true]);
    expect(own(await provider.account(at.token))).toHaveLength(2);
  });
});

describe("H11: a key that came while an answer was lost", () => {
  /** Another key for each value, and nothing by which keys could be told apart. */
  async function unnamed(more: Record<string, unknown> = {}): Promise<Scene> {
    const at = await scene("register");
    await provider.change(at.token, (account) => Object.assign(account, { named: false, keysMax: 5 }));
    return { ...at, issuer: at.open({ config: more }) };
  }

  it("is nobody's to remove where nothing says whose it is: a person is asked, and the step goes on then", async () => {
    const at = await unnamed();
    await provider.faults({ at: "POST /v1/keys", lose: "after" });
    expect(await codeOf(mint(at.issuer, changeOf("main", null, first)))).toBe("unknown-outcome");
    const [stray] = own(await provider.account(at.token));
    expect(await shown(at)).toMatchObject({ tag: formatTag(first), enabled: true, unkept: true });
    expect(await codes(at)).toEqual(["unattributed-key"]);
    const [finding] = await at.issuer.preflight(call());
    expect(finding?.sentence).toContain(`${stray?.id} came into being`);
    expect(await codeOf(mint(at.issuer, changeOf("main", first, second)))).toBe("conflict");
    expect(own(await provider.account(at.token))).toEqual([stray]);
    // The person has removed it.
    await provider.change(at.token, (account) => {
      account.keys = account.keys.filter(({ id }) => id !== stray?.id);
    });
    const document = await mint(at.issuer, changeOf("main", second, third));
    expect(await works(at, document)).toBe(true);
    expect(await codes(at)).toEqual([]);
  });

  it("is switched off meanwhile, where the provider can do that", async () => {
    const disable = { method: "PATCH", path: "/v1/keys/{key}", body: { status: "disabled" } };
    const at = await unnamed({ disable });
    await provider.faults({ at: "POST /v1/keys", lose: "after" });
    await codeOf(mint(at.issuer, changeOf("main", null, first)));
    await codeOf(mint(at.issuer, changeOf("main", first, second)));
    expect(own(await provider.account(at.token))).toMatchObject([{ status: "disabled" }]);
    expect(await codes(at)).toEqual(["unattributed-key"]);
  });

  it("of a stranger, who made one in the same minute, is not touched by us who know our own", async () => {
    const at = await scene("register");
    const documents: SecretDocument[] = [];
    await at.issuer.mint?.(
      changeOf("main", null, first),
      async (document) => {
        documents.push(document);
        const stranger = unused("theirs-3", { name: "made by hand", status: "active" });
        await provider.change(at.token, (account) => account.keys.unshift(stranger));
      },
      call(),
    );
    expect(await codes(at)).toEqual([]);
    await provider.change(at.token, (account) => Object.assign(account, { keysMax: 9 }));
    await mint(at.issuer, changeOf("main", first, second));
    const ids = (await provider.account(at.token)).keys.map(({ id }) => id);
    expect(ids.filter((id) => id.startsWith("theirs"))).toHaveLength(3);
    expect(ids).toHaveLength(4);
  });
});
