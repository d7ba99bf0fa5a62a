/** Copies of values that sources met: whoever reads one breaks with the credential, and has a way to it (C1, C29). */
import { describe, expect, test } from "vitest";
import { blastOf } from "../../../domain/graph/blast.js";
import { copyEdges, credentialsAt, isCopy, type Meeting } from "../../../domain/graph/copies.js";
import { weakest } from "../../../domain/graph/known.js";
import { Adjacency, reach, wayTo } from "../../../domain/graph/reach.js";
import { readersOf, shared, usersOf } from "../../../domain/graph/use.js";
import { edgeOf, evidenceOf, mapOf, t0 } from "./maps.js";

const met = (place: string, more: Partial<Meeting> = {}): Meeting => ({
  ...{ credential: "c-db", place, source: "src-files", literal: true, past: false, isRead: false, count: 1 },
  ...{ firstSeen: t0, lastSeen: t0 + 5, sentence: "A password." },
  ...more,
});

const map = mapOf(
  ...["s-web uses c-db", "c-db stored-in l-vault", "l-vault stored-in y-vault", "c-db owned-by o-shop"],
  ...["l-env stored-in l-file", edgeOf("i-host uses l-env", evidenceOf("session")), "i-host owned-by o-ops"],
  ...["l-mount depends-on l-env", edgeOf("i-pod uses l-mount", evidenceOf("read"))],
  ...[
    edgeOf("i-ops can-read l-file", evidenceOf("potential")),
    "i-other uses l-other",
    "s-job depends-on i-host",
  ],
  ...copyEdges([met("l-env", { isRead: true }), met("l-log", { past: true }), met("l-compose")]),
);
const adjacency = new Adjacency(map);
const ids = (list: readonly { readonly node: { readonly id: string } }[]) => list.map(({ node }) => node.id);

describe("edges to copies", () => {
  test("are one for each credential and place, with what each source has met", () => {
    const [edge, ...more] = copyEdges([
      met("l-env", { literal: false, firstSeen: t0 - 9 }),
      met("l-env", { source: "src-report", past: true, count: 3, lastSeen: t0 + 7 }),
    ]);
    expect(more).toEqual([]);
    expect(edge).toMatchObject({
      from: "c-db",
      to: "l-env",
      type: "copied-to",
      firstSeen: t0 - 9,
      endedAt: null,
    });
    expect(edge?.copy).toEqual({ literal: true, past: false });
    expect(
      edge?.evidence.map(({ kind, source, count, lastSeen }) => [kind, source, count, lastSeen]),
    ).toEqual([
      ["met", "src-files", 1, t0 + 5],
      ["met", "src-report", 3, t0 + 7],
    ]);
  });

  test("say of what is past and read by nobody that it has only got there", () => {
    const types = [met("l-a", { past: true }), met("l-b", { past: true, isRead: true }), met("l-c")].map(
      (one) => copyEdges([one])[0]?.type,
    );
    expect(types).toEqual(["leaked-to", "copied-to", "copied-to"]);
    expect(map.edges.filter(isCopy)).toHaveLength(3);
  });
});

describe("who has a copy", () => {
  test("is a user of the credential, with the copy; so is who is filled from there, and who could read it could", () => {
    const users = usersOf(adjacency, "c-db").map(({ node, at, copy }) => [
      node.id,
      at?.id ?? null,
      copy?.to ?? null,
    ]);
    expect(users).toEqual([
      ["i-host", "l-env", "l-env"],
      ["i-ops", "l-file", "l-env"],
      ["i-pod", "l-mount", "l-env"],
      ["s-web", null, null],
    ]);
    expect(ids(shared(adjacency)[0]?.users ?? [])).toEqual(["i-host", "i-pod", "s-web"]);
  });

  test("is told once at a place where the credential is kept as well", () => {
    const kept = mapOf("c-db stored-in l-vault", "i-host uses l-vault", ...copyEdges([met("l-vault")]));
    expect(usersOf(new Adjacency(kept), "c-db").map(({ node, copy }) => [node.id, copy])).toEqual([
      ["i-host", null],
    ]);
  });

  test("breaks with the credential, and whoever depends on them; who reads another value does not", () => {
    const { breaks, exposed, owners } = blastOf(map, "c-db");
    expect(ids(breaks)).toEqual(["l-compose", "l-env", "s-web", "i-host", "l-mount", "i-pod", "s-job"]);
    expect(exposed).toEqual([]);
    expect(owners).toEqual(["o-ops"]);
    const host = breaks.find(({ node }) => node.id === "i-host");
    expect(host?.way.map(({ from, type, to }) => `${from} ${type} ${to}`)).toEqual([
      "c-db copied-to l-env",
      "i-host uses l-env",
    ]);
    expect(host?.known).toBe("met");
  });

  test("has a way to the credential, and not from what it has only leaked to", () => {
    const reached = reach(adjacency, ["i-host"], "trust");
    expect(wayTo(reached, "c-db").map(({ type }) => type)).toEqual(["uses", "copied-to"]);
    expect(reach(adjacency, ["l-log"], "trust").has("c-db")).toBe(false);
  });

  test("the credential does not fail with a copy, and is exposed with whatever holds one", () => {
    expect(ids(blastOf(map, "l-file").exposed)).toEqual(["l-env", "c-db"]);
    expect(ids(blastOf(map, "l-log").exposed)).toEqual(["c-db"]);
    expect([...reach(adjacency, ["l-env"], "failure").keys()]).not.toContain("c-db");
  });
});

describe("what begins at a place", () => {
  test("is about the value that stands there or in a part of it, wherever else that is", () => {
    for (const place of ["l-compose", "l-file", "l-log"]) {
      const { breaks, same } = blastOf(map, place);
      expect(same.credentials.map(({ id }) => id)).toEqual(["c-db"]);
      expect(ids(breaks)).toEqual(expect.arrayContaining(["i-host", "i-pod", "s-job", "s-web"]));
    }
    const both = mapOf(
      ...copyEdges([met("l-env"), met("l-env", { credential: "c-b" }), met("l-env", { credential: "c-a" })]),
    );
    expect(credentialsAt(new Adjacency(both), "l-env").map(({ id }) => id)).toEqual(["c-a", "c-b", "c-db"]);
  });

  test("is about other places with that value where nobody knows whose it is", () => {
    const { breaks, same } = blastOf(map, "l-unknown", ["l-other", "l-gone"]);
    expect([ids(breaks), same.places.map(({ id }) => id)]).toEqual([["i-other"], ["l-other"]]);
  });

  test("who reads there is whoever reads it or a part of it, or could", () => {
    expect(readersOf(adjacency, "l-file").map(({ node, at }) => [node.id, at?.id ?? null])).toEqual([
      ["i-host", "l-env"],
      ["i-ops", null],
      ["i-pod", "l-mount"],
    ]);
    expect(readersOf(adjacency, "l-compose")).toEqual([]);
  });
});

test("of how a way is known a value that was met says more than what was written, and less than what was seen", () => {
  const way = (...kinds: readonly ("met" | "declared" | "read")[]) =>
    weakest(kinds.map((kind) => edgeOf("c-1 copied-to l-1", evidenceOf(kind))));
  expect([way("met", "read"), way("met", "declared")]).toEqual(["met", "declared"]);
});
