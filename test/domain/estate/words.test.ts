/** References to secrets, literals that look like secrets, and guesses at what was meant. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findLiteral, knownShape } from "../../../domain/estate/literals.js";
import { isSecretRef, secretRef } from "../../../domain/estate/secret-ref.js";
import { meantNames, suggest } from "../../../domain/estate/suggest.js";

const random = "Zk3vQ9xT1mB7yR4wL8cN2pF6";

describe("references to secrets", () => {
  it("are three forms and nothing else", () => {
    const right = [
      "env:PG_PASSWORD",
      "file:/run/secrets/pg",
      "file:/run/secrets/pg.json#password",
      "vault:apps/orders/db#password",
      "vault:kv.v2/a-b_c#k.1",
    ];
    const wrong = [
      "",
      "hunter2",
      "env:",
      "env:1A",
      "env:A B",
      "file:relative",
      "file:/a b",
      "vault:apps",
      "vault:#k",
      "vault:/a#k",
    ];
    expect(right.filter((text) => !isSecretRef(text))).toEqual([]);
    expect([...wrong, "env:A\nB", " env:A"].filter(isSecretRef)).toEqual([]);
    expect(secretRef().parse("env:A")).toBe("env:A");
  });
});

describe("I6: literals that look like secrets", () => {
  // Put together here, so that no scanner takes this file for a leak.
  const secrets = [
    ["a private key", ["-----BEGIN ", "RSA PRIVATE KEY-----\nMIIE"]],
    ["a private key", ["-----BEGIN ", "PRIVATE KEY-----"]],
    ["a private key", ["AGE-SECRET-", "KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"]],
    ["a cloud access key", ["AKIA", "IOSFODNN7EXAMPLE"]],
    ["a cloud access key", ["AIza", "SyA1234567890abcdefghijklmnopqrstuv"]],
    ["an access token", ["ghp_", "abcdefghijklmnopqrstuvwxyz0123456789"]],
    ["an access token", ["xoxb-", "123456789012-abcdefghijkl"]],
    ["an access token", ["sk_", "live_abcdefghijklmnop"]],
    ["an access token", ["hvs.", "CAESIJabcdefghijklmnopqrs"]],
    ["a signed token", ["eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"]],
    ["a password verifier", ["SCRAM-SHA-256$", "4096:c2FsdA==$c3RvcmVk:c2VydmVy"]],
    ["an address with a password in it", ["postgres://orders:", "hunter2@db.example.com/orders"]],
    ["an address with a password in it", ["redis://:", "hunter2@cache.example.com"]],
    ["a password", ["host=db user=orders pass", "word=hunter2"]],
    ["a random value", [random.slice(0, 12), random.slice(12)]],
    ["a random value", ["9f86d081884c7d659a2f", "eaa0c55ad015a3bf4f1b"]],
    ["a random value", ["k3j9x8q2m5w7", "r4t6y1u8i2o5p9a3"]],
  ] as const;

  it.each(secrets)("finds %s", (what, parts) => {
    expect(findLiteral(parts.join(""))).toBe(what);
    expect(findLiteral(`see ${parts.join("")} there`)).toBe(what);
  });

  it.each([
    "orders-db",
    "https://vault.example.com:8200/v1/secret",
    "postgres://orders@db.example.com:5432/orders?sslmode=verify-full",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's variable, as people write it
    "postgres://orders:${PGPASSWORD}@db.example.com/orders",
    "host=db.example.com password=$PGPASSWORD",
    "vault:secret/apps/orders-db-production-eu-west-1#password",
    "file:/var/run/secrets/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
    "arn:aws:iam::123456789012:role/orders-production-reader",
    "orders-api-production-eu-west-1-replica-2.internal.example.com",
    "orders-api-7d9f8b6c5-x2x4z",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
    "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ3k9xT1mB7yR4wL8cN2pF6\n-----END CERTIFICATE-----",
    "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0v3k9xT1mB7yR4wL8cN2pF6q8Zk3vQ9xT1mB7yR4wL ada@example.com",
    "OrdersApiProductionEuropeWestReplica2",
    "0000000000000000000000000000000000000000",
    "Writes orders; read by the 3 services of team payments, see wiki page 12345.",
    "/usr/local/bin/rotate-orders --region eu-west-1",
    "/tmp/rekey-patched-9s2TUW/examples/commands/sighup.sh",
    "/var/folders/rekey-build-tree-Q7x2Lm/bin/rotate",
  ])("lets %s through", (text) => {
    expect(findLiteral(text)).toBeUndefined();
  });

  it("finds nearly every generated password of 24 characters, and no ordinary name", () => {
    const alphabet = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"];
    const password = fc.array(fc.constantFrom(...alphabet), { minLength: 24, maxLength: 24 });
    const found = fc
      .sample(password, { numRuns: 500, seed: 7 })
      .filter((letters) => findLiteral(letters.join("")));
    expect(found.length).toBeGreaterThan(450);
    const word = fc.constantFrom(
      "orders",
      "billing",
      "db",
      "api",
      "prod",
      "eu",
      "west",
      "1",
      "2",
      "replica",
      "reader",
    );
    const name = fc.array(word, { minLength: 1, maxLength: 9 }).map((words) => words.join("-"));
    fc.assert(fc.property(name, (text) => findLiteral(text) === undefined));
  });

  it("looks only for unmistakable shapes in prose", () => {
    expect(knownShape(random)).toBeUndefined();
    expect(knownShape(`# ${secrets[3][1].join("")}`)).toBe("a cloud access key");
  });

  it("ends on hostile text", () => {
    const hostile = ["eyJ-", "a.", "://", "password ", "-----BEGIN CERTIFICATE-----", "sk_live_", "x"].map(
      (part) => part.repeat(200_000 / part.length),
    );
    expect(hostile.map(findLiteral)).toHaveLength(hostile.length);
  });
});

describe("did you mean", () => {
  const known = ["policy", "purpose", "place", "owner", "standard"];
  it("knows slips of the hand", () => {
    const slips = ["polcy", "policies", "purpsoe", "Owner", "placce", "standrad", "wner"];
    expect(slips.map((slip) => suggest(slip, known))).toEqual([
      "policy",
      undefined,
      "purpose",
      "owner",
      "place",
      "standard",
      "owner",
    ]);
  });

  it("stays silent rather than guess wildly", () => {
    expect(suggest("zebra", known)).toBeUndefined();
    expect(suggest("x".repeat(65), ["x".repeat(64)])).toBeUndefined();
    expect(suggest("", [])).toBeUndefined();
  });

  it("names what begins so before what is a slip away, and not all of many", () => {
    expect(meantNames("P", known)).toBe('"place", "policy" or "purpose"');
    expect(meantNames("own", [...known, "owners"])).toBe('"owner" or "owners"');
    expect(meantNames("stand", known)).toBe('"standard"');
    expect(meantNames("wner", known)).toBe('"owner"');
    expect(meantNames("zebra", known)).toBeUndefined();
    expect(meantNames("", known)).toBeUndefined();
    const many = Array.from({ length: 7 }, (_, number) => `db-${number}`);
    expect(meantNames("db", many)).toBe('"db-0", "db-1", "db-2", "db-3", "db-4" or another that begins so');
  });

  it("finds a known word after one change anywhere", () => {
    const word = fc.constantFrom(...known);
    fc.assert(
      fc.property(word, fc.nat(), fc.constantFrom("delete", "double", "swap"), (text, where, change) => {
        const i = where % (text.length - 1);
        const slip = {
          delete: text.slice(0, i) + text.slice(i + 1),
          double: text.slice(0, i + 1) + text.slice(i),
          swap: text.slice(0, i) + text.charAt(i + 1) + text.charAt(i) + text.slice(i + 2),
        }[change];
        expect(suggest(slip, known)).toBe(text);
      }),
    );
  });
});
