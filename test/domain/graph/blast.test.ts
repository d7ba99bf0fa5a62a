/** The known answers: what breaks with a credential, what is exposed with it, whose it is, and how sure that is (C29). */
import { describe, expect, test } from "vitest";
import { blastOf, tallyOf } from "../../../domain/graph/blast.js";
import { edgeOf, evidenceOf, mapOf } from "./maps.js";

const shop = mapOf(
  "s-checkout uses c-db",
  edgeOf("s-reports uses c-db", evidenceOf("declared"), evidenceOf("session")),
  edgeOf("i-role uses c-db", evidenceOf("read")),
  "s-web depends-on s-checkout",
  "c-db stored-in l-vault/db",
  "c-mail stored-in l-vault/mail",
  "s-mailer uses c-mail",
  edgeOf("c-vault can-read l-vault/mail", evidenceOf("potential")),
  "c-vault can-read l-vault/db",
  "c-root mints c-vault",
  "c-db issued-by y-postgres",
  "c-db owned-by o-payments",
  "s-checkout owned-by o-payments",
  "s-mailer owned-by o-mail",
);

const ids = (list: readonly { readonly node: { readonly id: string } }[]) => list.map(({ node }) => node.id);

describe("the blast radius", () => {
  test("of a credential: whoever uses it and whoever needs them break; nobody is exposed by being its user", () => {
    const { breaks, exposed, owners } = blastOf(shop, "c-db");
    expect(ids(breaks)).toEqual(["i-role", "s-checkout", "s-reports", "s-web"]);
    expect(exposed).toEqual([]);
    expect(owners).toEqual(["o-payments"]);
    expect(breaks.map(({ known }) => known)).toEqual(["read", "declared", "session", "declared"]);
    expect(breaks.at(-1)?.way.map(({ from, type, to }) => `${from} ${type} ${to}`)).toEqual([
      "s-checkout uses c-db",
      "s-web depends-on s-checkout",
    ]);
  });

  test("of one that unlocks a store, and of one that mints it: everything that is stored there", () => {
    expect(ids(blastOf(shop, "c-vault").exposed)).toEqual(["l-vault/db", "l-vault/mail", "c-db", "c-mail"]);
    const { exposed } = blastOf(shop, "c-root");
    expect(ids(exposed)).toEqual(["c-vault", "l-vault/db", "l-vault/mail", "c-db", "c-mail"]);
    expect(exposed.map(({ known }) => known)).toEqual([
      "declared",
      "declared",
      "potential",
      "declared",
      "potential",
    ]);
  });

  test("of a consumer: what it uses is exposed, and who depends on it breaks", () => {
    const { breaks, exposed } = blastOf(shop, "s-checkout");
    expect([ids(breaks), ids(exposed)]).toEqual([["s-web"], ["c-db"]]);
  });

  test("of a system: whatever it issues, and whoever uses that", () => {
    expect(ids(blastOf(shop, "y-postgres").breaks)).toEqual([
      "c-db",
      "i-role",
      "s-checkout",
      "s-reports",
      "s-web",
    ]);
  });

  test("of an owner: that of everything that they answer for", () => {
    const { starts, breaks } = blastOf(shop, "o-payments");
    expect(starts.map(({ id }) => id)).toEqual(["s-checkout", "c-db"].reverse());
    expect(ids(breaks)).toEqual(["i-role", "s-reports", "s-web"]);
  });

  test("of nothing that is known: nothing", () => {
    expect(blastOf(shop, "c-other")).toEqual({
      ...{ starts: [], breaks: [], exposed: [], owners: [] },
      same: { credentials: [], places: [] },
    });
  });

  test("is counted by what is in it and by who answers for that", () => {
    const { breaks } = blastOf(shop, "c-db");
    expect(tallyOf(breaks)).toEqual({
      things: 4,
      byType: { identity: 1, consumer: 3 },
      byOwner: { "o-payments": 1 },
      isWhole: true,
    });
    expect(tallyOf([])).toEqual({ things: 0, byType: {}, byOwner: {}, isWhole: true });
  });

  test("of a place is not that of the store around it", () => {
    expect(ids(blastOf(shop, "l-vault/mail").breaks)).toEqual(["c-mail", "s-mailer"]);
    const nested = mapOf("l1 stored-in y1", "l2 stored-in y1", "c2 stored-in l2", "s2 uses c2");
    expect(blastOf(nested, "l1").breaks).toEqual([]);
  });
});
