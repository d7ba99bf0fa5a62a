/** What is about IAM itself: claims instead of a compare-and-set, lost answers, keys of others, and regions that hear late. */
import { CreateAccessKeyCommand, DeleteAccessKeyCommand, TagUserCommand } from "@aws-sdk/client-iam";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Issuer, SecretDocument } from "../../../adapters/ports.js";
import { formatTag } from "../../../domain/fence.js";
import { Secret } from "../../../domain/secret.js";
import { iamServer } from "../../setup/servers.js";
import { openGate, type Passed } from "../stores/gate.js";
import { type IamWorld, iamWorld } from "./aws-iam-world.js";
import { call, changeOf, codeOf, passwordOf, tag, usernameOf } from "./world.js";

let world: IamWorld;
let issuer: Issuer;
const first = tag("v1", 1);
const off = tag("v1", 2, { state: "disabled" });
const taken = tag("v1", 3, { epoch: 2 });

beforeEach(async () => {
  world = await iamWorld();
  issuer = world.open();
});
afterEach(async () => {
  await issuer.close();
  await world.dispose();
});

const does = (action: string) => (request: Passed) => request.body.includes(`Action=${action}&`);

/** Has a key made in the slot, and gives it back. */
async function minted(
  slot = "a",
  change = changeOf(slot, null, first),
  by = issuer,
): Promise<SecretDocument> {
  const made: SecretDocument[] = [];
  await by.mint?.(change, async (document) => void made.push(document), call());
  return made[0] ?? {};
}

const shown = async (slot: string) => (await issuer.survey(call())).slots.find((each) => each.slot === slot);
const codesOf = async (of = issuer) => (await of.preflight(call())).map(({ code }) => code);
const refusalsOf = async (of = issuer) =>
  (await of.preflight(call())).filter(({ severity }) => severity === "refuse").map(({ code }) => code);

/** Something to wait for. */
function signal() {
  let give = () => {};
  const given = new Promise<void>((done) => {
    give = done;
  });
  return { give, given };
}

/** Sends a request once more, as it was signed. */
function resend({ method, headers, body }: Passed): Promise<Response> {
  const { host: _, connection: __, "content-length": ___, ...rest } = headers;
  return fetch(world.iam.address, { method, headers: rest as Record<string, string>, body });
}

/** From now on a request that does this is made, and its answer lost. */
function loseAnswerOf(action: string): void {
  world.iam.onRequest = async (request) => {
    if (does(action)(request)) world.iam.losing = true;
  };
}

describe("a claim in the user's tags", () => {
  it("H3: of two that come at once the one acts whose claim was written last, and the other one is fenced", async () => {
    const document = await minted();
    const gate = await openGate((await iamServer()).address);
    const other = world.openWith({ endpoint: gate.address });
    const theirs = signal();
    const mine = signal();
    let outcome = Promise.resolve("");
    // Mine has read the tag; before my claim lands, theirs has, and is about to be looked at again.
    let claimed = false;
    gate.onRequest = async (request) => {
      if (does("TagUser")(request)) claimed = true;
      else if (claimed) {
        theirs.give();
        await mine.given;
      }
    };
    let sent = false;
    world.iam.onRequest = async (request) => {
      if (sent) mine.give();
      if (!does("TagUser")(request)) return;
      sent = true;
      outcome = codeOf(other.seize(changeOf("a", first, taken), call()));
      await theirs.given;
    };
    expect(await issuer.disable(changeOf("a", first, off), call())).toBe("applied");
    expect(await outcome).toBe("fenced");
    expect(await shown("a")).toEqual({ slot: "a", tag: formatTag(off), enabled: false });
    expect(await world.keys()).toEqual({ [usernameOf(document)]: "Inactive" });
    await other.close();
    await gate.close();
  });

  it("H3: a claim that cannot be seen is an unknown outcome, and nothing was done", async () => {
    const document = await minted();
    // The call is over when AWS has answered twice from a copy that is behind.
    const over = new AbortController();
    let behind = 0;
    let sent = false;
    world.iam.onRequest = async (request) => {
      sent ||= does("TagUser")(request);
    };
    world.iam.rewrite = (request, answer) => {
      if (!sent || !does("ListUserTags")(request)) return answer;
      if (++behind > 1) over.abort();
      return answer.replace(formatTag(off), formatTag(first));
    };
    const work = issuer.disable(changeOf("a", first, off), { signal: over.signal });
    expect(await codeOf(work)).toBe("unknown-outcome");
    expect(await world.keys()).toEqual({ [usernameOf(document)]: "Active" });
    world.iam.rewrite = null;
    expect(await issuer.disable(changeOf("a", first, off), call())).toBe("already");
    expect(await world.keys()).toEqual({ [usernameOf(document)]: "Inactive" });
  });

  it("H3: requests of an epoch before name one key, and do nothing to the next one", async () => {
    const old = await minted();
    await issuer.disable(changeOf("a", first, off), call());
    const gone = tag("v1", 3, { state: "destroyed" });
    await issuer.destroy(changeOf("a", off, gone), call());
    const next = await minted("a", changeOf("a", gone, tag("v2", 4)));
    const again = world.iam.passed.filter(
      (request) => does("UpdateAccessKey")(request) || does("DeleteAccessKey")(request),
    );
    expect(again.length).toBe(2);
    for (const request of again) expect((await resend(request)).status).toBe(404);
    expect(await world.keys()).toEqual({ [usernameOf(next)]: "Active" });
    expect(usernameOf(next)).not.toBe(usernameOf(old));
  });

  it("H11: a mint that lands late makes a key that nobody has; it is named, and nothing is minted beside it", async () => {
    await minted();
    const late = world.iam.passed.find(does("CreateAccessKey"));
    if (late) await resend(late);
    expect(await refusalsOf()).toEqual(["aws-iam-unknown-key"]);
    const before = await world.keys();
    expect(await codeOf(minted("b", changeOf("b", null, tag("v2", 2))))).toBe("conflict");
    expect(await world.keys()).toEqual(before);
    expect(await shown("b")).toEqual({ slot: "b", tag: "", enabled: false });
  });
});

describe("answers that are lost", () => {
  it("H11: a key whose secret was lost on its way is switched off and asked about, and the next mint goes on when it is gone", async () => {
    loseAnswerOf("CreateAccessKey");
    expect(await codeOf(minted())).toBe("unknown-outcome");
    world.iam.onRequest = null;
    const [lost = ""] = Object.keys(await world.keys());
    expect(await shown("a")).toEqual({ slot: "a", tag: formatTag(first), enabled: false, unkept: true });
    expect(await refusalsOf()).toEqual(["aws-iam-unknown-key"]);
    const second = tag("v1", 2);
    expect(await codeOf(minted("a", changeOf("a", first, second)))).toBe("conflict");
    expect(await world.keys()).toEqual({ [lost]: "Inactive" });
    // A person has found Rekey's own role in CloudTrail.
    await world.admin.send(new DeleteAccessKeyCommand({ UserName: world.user, AccessKeyId: lost }));
    const document = await minted("a", changeOf("a", second, tag("v1", 3)));
    expect(await world.keys()).toEqual({ [usernameOf(document)]: "Active" });
    expect(await refusalsOf()).toEqual([]);
  });

  it("H11: a key of which we heard and whose secret was not kept is ours by its id: the next mint deletes it by itself", async () => {
    // The worker dies when it has written the id down.
    const died = issuer.mint?.(changeOf("a", null, first), () => Promise.reject(new Error("gone")), call());
    await expect(died).rejects.toThrow("gone");
    const [unkept] = Object.keys(await world.keys());
    const document = await minted("a", changeOf("a", first, tag("v1", 2)));
    expect(await world.keys()).toEqual({ [usernameOf(document)]: "Active" });
    expect(usernameOf(document)).not.toBe(unkept);
  });

  it("H11: an unused key of somebody else's, made in the same minute, is switched off and never deleted", async () => {
    // Our request never gets to AWS, and somebody makes a key for themselves meanwhile.
    const over = new AbortController();
    const made: string[] = [];
    world.iam.onRequest = async (request) => {
      if (!does("CreateAccessKey")(request)) return;
      const { AccessKey } = await world.admin.send(new CreateAccessKeyCommand({ UserName: world.user }));
      made.push(AccessKey?.AccessKeyId ?? "");
      over.abort();
      await new Promise(() => {});
    };
    const work = issuer.mint?.(changeOf("a", null, first), async () => {}, { signal: over.signal });
    expect(await codeOf(work ?? Promise.resolve())).toBe("unknown-outcome");
    world.iam.onRequest = null;
    const [theirs = ""] = made;
    const second = tag("v1", 2);
    const gone = tag("v1", 3, { state: "destroyed" });
    expect(await codeOf(minted("a", changeOf("a", first, second)))).toBe("conflict");
    expect(await world.keys()).toEqual({ [theirs]: "Inactive" });
    expect(await codeOf(issuer.destroy(changeOf("a", second, gone), call()))).toBe("conflict");
    expect(await codeOf(minted("a", changeOf("a", gone, tag("v2", 4))))).toBe("conflict");
    expect(await world.keys()).toEqual({ [theirs]: "Inactive" });
  });

  it.each(["was used", "was not made at that time"])(
    "H11: one that %s is not the lost one: it stays, and is asked about",
    async (how) => {
      loseAnswerOf("CreateAccessKey");
      expect(await codeOf(minted())).toBe("unknown-outcome");
      world.iam.onRequest = null;
      const before = await world.keys();
      if (how === "was used") {
        const used = "<AccessKeyLastUsed><LastUsedDate>2026-01-01T00:00:00Z</LastUsedDate>";
        world.iam.rewrite = (request, answer) =>
          does("GetAccessKeyLastUsed")(request) ? answer.replace("<AccessKeyLastUsed>", used) : answer;
      } else {
        const Tags = [{ Key: "rekey:a:key", Value: "minting - 1000" }];
        await world.admin.send(new TagUserCommand({ UserName: world.user, Tags }));
      }
      expect(await codeOf(minted("a", changeOf("a", first, tag("v1", 2))))).toBe("conflict");
      expect(await world.keys()).toEqual(before);
    },
  );

  it.each(["TagUser", "UpdateAccessKey"])(
    "H3: a disable whose answer to %s was lost is ended by the next try",
    async (action) => {
      const document = await minted();
      loseAnswerOf(action);
      expect(await codeOf(issuer.disable(changeOf("a", first, off), call()))).toBe("unknown-outcome");
      world.iam.onRequest = null;
      expect(await issuer.disable(changeOf("a", first, off), call())).toBe("already");
      expect((await issuer.proveRefused("a", document, call())).map(({ ok }) => ok)).toEqual([true]);
    },
  );

  it("H36: destroying a slot whose mint was lost leaves no key that works, and is done when a person has deleted it", async () => {
    loseAnswerOf("CreateAccessKey");
    expect(await codeOf(minted())).toBe("unknown-outcome");
    world.iam.onRequest = null;
    const [lost = ""] = Object.keys(await world.keys());
    const gone = changeOf("a", first, tag("v1", 2, { state: "destroyed" }));
    expect(await codeOf(issuer.destroy(gone, call()))).toBe("conflict");
    expect(await world.keys()).toEqual({ [lost]: "Inactive" });
    await world.admin.send(new DeleteAccessKeyCommand({ UserName: world.user, AccessKeyId: lost }));
    expect(await issuer.destroy(gone, call())).toBe("already");
    expect(await world.keys()).toEqual({});
    expect(await shown("a")).toEqual({ slot: "a", tag: formatTag(gone.tag), enabled: false });
  });
});

describe("the user's keys", () => {
  it("the one that is there before the first change is in the slot that the estate names, and stays there", async () => {
    const { AccessKey } = await world.admin.send(new CreateAccessKeyCommand({ UserName: world.user }));
    const live = {
      username: new Secret(AccessKey?.AccessKeyId ?? ""),
      password: new Secret(AccessKey?.SecretAccessKey ?? ""),
    };
    const inB = world.openWith({}, { first: "b" });
    expect((await inB.survey(call())).slots.map(({ enabled }) => enabled)).toEqual([false, true]);
    expect(inB.slotOf(live)).toBe("b");
    expect((await inB.prove("b", live, call())).map(({ ok }) => ok)).toEqual([true]);
    await minted("a", changeOf("a", null, first), inB);
    expect((await issuer.survey(call())).slots.map(({ enabled }) => enabled)).toEqual([true, true]);
    expect(issuer.slotOf(live)).toBe("b");
    expect(await codesOf()).toContain("aws-iam-last-used");
    await inB.close();
  });

  it("H15: the engine does not rotate the user that it is logged in as", async () => {
    const own = world.openWith({}, { user: world.user.replace("orders", "rekey") });
    expect(await refusalsOf(own)).toEqual(["aws-iam-own-user"]);
    expect(await refusalsOf(world.openWith({}, { user: "nobody" }))).toEqual(["aws-iam-user-missing"]);
  });

  it("H9: another account that answers is the wrong server", async () => {
    const elsewhere = world.openWith({ account: "210987654321" });
    expect(await codeOf(elsewhere.survey(call()))).toBe("wrong-server");
    expect(await codeOf(elsewhere.proveRefused("a", await minted(), call()))).toBe("wrong-server");
  });

  it("H33: no request carries the secret of a key", async () => {
    const document = await minted();
    await issuer.prove("a", document, call());
    for (const { body, headers } of [...world.iam.passed, ...world.sts.passed])
      expect(body + JSON.stringify(headers)).not.toContain(passwordOf(document));
  });
});

describe("regions that hear late", () => {
  /** The next `times` questions about the key are answered so, whatever is true by now. */
  function behind(document: SecretDocument, times: number, status: number, text: string): void {
    let left = times;
    world.sts.rewrite = ({ headers }, answer, real) => {
      const about = String(headers.authorization).includes(usernameOf(document));
      return about && left-- > 0 ? { status, text } : { status: real, text: answer };
    };
  }

  it("H16: a key that a region does not know yet is not proved there, and is as soon as it does", async () => {
    const document = await minted();
    const text = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>";
    behind(document, 1, 403, text);
    expect((await issuer.prove("a", document, call())).map(({ ok }) => ok)).toEqual([false]);
    expect((await issuer.prove("a", document, call())).map(({ ok }) => ok)).toEqual([true]);
  });

  it("H27: a key that a region still lets in counts as not refused, however IAM has it", async () => {
    const document = await minted();
    let accepted = "";
    world.sts.rewrite = (_, answer) => {
      accepted = answer.includes(world.user) ? answer : accepted;
      return answer;
    };
    await issuer.prove("a", document, call());
    await issuer.disable(changeOf("a", first, off), call());
    behind(document, 1, 200, accepted);
    expect((await issuer.proveRefused("a", document, call())).map(({ ok }) => ok)).toEqual([false]);
    expect((await issuer.proveRefused("a", document, call())).map(({ ok }) => ok)).toEqual([true]);
  });

  it("H27: a region that knows the key and not this secret has not refused the key", async () => {
    const document = await minted();
    const other = { ...document, password: new Secret("a-secret-that-is-of-no-key") };
    const [proof] = await issuer.proveRefused("a", other, call());
    expect(proof).toMatchObject({ ok: false, sentence: "no proof: refused: not the secret of that key" });
  });

  it("H9: where the engine itself is refused, a refusal of the key is no proof", async () => {
    const document = await minted();
    const text = "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>";
    world.sts.rewrite = () => ({ status: 403, text });
    expect(await codeOf(issuer.proveRefused("a", document, call()), passwordOf(document))).toBe(
      "not-permitted",
    );
  });

  it("H27: it declares how long what was taken with a key lives, and how late it hears", () => {
    expect(issuer.traits).toMatchObject({
      derives: [{ maxLifeMs: 36 * 3_600_000, endedByDisable: false }],
      propagationMs: 60_000,
      capacity: 2,
    });
    const other = world.openWith({ propagation: "5m" }, { derivedLife: "0s" });
    expect(other.traits).toMatchObject({ derives: [], propagationMs: 300_000 });
  });
});
