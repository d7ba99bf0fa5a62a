/** Where in a text an address begins and ends, and what in it is a user, a password and a query, however people wrote it. */
import { describe, expect, it } from "vitest";
import { addressesIn } from "../../../domain/estate/addresses.js";

const parts = (text: string) =>
  addressesIn(text).map(({ from, until, userFrom, userUntil, passwordFrom, queryFrom }) => [
    text.slice(from, until),
    text.slice(userFrom, userUntil),
    text.slice(passwordFrom, userUntil),
    text.slice(queryFrom, until),
  ]);

describe("an address", () => {
  it.each([
    ["postgres://u:pw@db:5432/x?a=b", "u:pw", "pw", "a=b"],
    ["postgres://u:p,w@db/x", "u:p,w", "p,w", ""],
    ["postgres://u:p'w@db/x", "u:p'w", "p'w", ""],
    ["postgres://u:p/w@db/x", "u:p/w", "p/w", ""],
    ["postgres://u:p#w@db/x", "u:p#w", "p#w", ""],
    ["postgres://u:p?w@db/x", "u:p?w", "p?w", ""],
    ["postgres://u:p@/w@db/x?e=a@b", "u:p@/w", "p@/w", "e=a@b"],
    ["https://u:p/w@git.example/x", "u:p/w", "p/w", ""],
    ["redis://:pw@cache/0", ":pw", "pw", ""],
    ["https://token@git.example/x.git", "token", "", ""],
    ["https://git.example:8080/x@v2?mail=a@b", "", "", "mail=a@b"],
    ["https://git.example/a:b@c", "", "", ""],
    ["https://u:pw@git.example/x@v2", "u:pw", "pw", ""],
    ["http://api:$PORT/x@v2", "", "", ""],
    ["docker://alpine:3.8@sha256:00ff", "", "", ""],
    ["https:/u:pw@git.example/x", "u:pw", "pw", ""],
    ["postgresql://a:pw@one:5432,two:5432/x?q=1,2", "a:pw", "pw", "q=1,2"],
  ])("%s", (text, user, password, query) => {
    expect(parts(text)).toEqual([[text, user, password, query]]);
  });

  it("stands in quotes, among words, and beside others", () => {
    expect(parts(`psql 'jdbc:postgresql://u:p"w@db/x' -c "select" a@b`)).toEqual([
      [`postgresql://u:p"w@db/x`, `u:p"w`, `p"w`, ""],
    ]);
    expect(parts("amqp://a:one@x/,amqp://b:two@y/ a@b").map(([, user]) => user)).toEqual(["a:one", "b:two"]);
    expect(parts("to <https://x.example/y?z> and").map(([whole]) => whole)).toEqual([
      "https://x.example/y?z",
    ]);
    expect(parts("none: a/b, c:d@e")).toEqual([]);
  });

  it("may have been cut in its password", () => {
    const cut = `${"a client with a long name ".repeat(2)}postgres://u:half-a-passw`;
    expect(parts(cut).map(([, , password]) => password)).toEqual(["half-a-passw"]);
    expect(parts("tcp://api:metrics")).toEqual([["tcp://api:metrics", "", "", ""]]);
  });
});
