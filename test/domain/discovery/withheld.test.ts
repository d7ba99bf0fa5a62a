/** No text that a source hands over has a secret in it that anybody could know for one (I6). */
import { describe, expect, it } from "vitest";
import type { ScanPart } from "../../../domain/discovery/said.js";
import { soundPart } from "../../../domain/discovery/sound.js";
import { withheld, withheldPart } from "../../../domain/discovery/withheld.js";

const pw = "q7Zt-not-for-you";
const jwt = `eyJ${"hbGciOiJ9".repeat(2)}.${"eyJzdWIi".repeat(2)}.${"c2lnbmF0".repeat(2)}`;
const key = `-----BEGIN PRIVATE KEY-----\n${"MIIB".repeat(9)}`;

describe("a text", () => {
  it.each([
    [`x includes https://ci:${pw}@git.example/x.yml, and`, "x includes https://***@git.example/x.yml, and"],
    [`calls ./a.yml?token=${pw}&x`, "calls ./a.yml?token=***&x"],
    [`(https://git.example/x?t=${pw}#a)`, "(https://git.example/x?***"],
    [`https:/${pw}@git.example/x`, "https:/***@git.example/x"],
    [`amqp://a:${pw}@one/,amqp://b:${pw}@two/`, "amqp://***@one/,amqp://***@two/"],
    [`host=db password=${pw} dbname=x`, "host=db password=*** dbname=x"],
    [`curl -H 'Authorization: Bearer ${pw}-77'`, "curl -H 'Authorization: Bearer ***'"],
    [`sees ${jwt}, here`, "sees ***, here"],
    [`token=${jwt}`, "token=***"],
    [`a job with ${key}`, "a job with ***"],
  ])("%s", (text, shown) => {
    expect(withheld(text)).toBe(shown);
    expect(withheld(shown)).toBe(shown);
    expect(shown).not.toContain(pw);
  });

  it.each([
    "services.api.environment.DB_PASSWORD of compose.yaml names it",
    "arn:aws:sts::123456789012:assumed-role/app/john@x.example",
    "registry.example/shop/api:1@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "https://git.example:8443/shop/api.git",
    `access key ${"AKIA"}ABCDEFGHIJKLMNOP of orders`,
    "spiffe://prod/ns/shop/sa/api",
    `postgres://\${HOST}/x`,
    "a Bearer of bad news",
  ])("%s stays", (text) => {
    expect(withheld(text)).toBe(text);
  });
});

describe("a part", () => {
  const address = `https://ci:${pw}@git.example/x.yml`;
  const seen = { first: 1_000, last: 2_000, count: 1 };
  const location = { is: "location", scope: address, path: address } as const;
  const part: ScanPart = {
    records: 1,
    claims: [
      {
        ...{ record: address, known: "declared", type: "uses", to: location, seen, sentence: address },
        from: { is: "reader", name: address, traits: { applicationName: address } },
        versions: [{ version: address, first: 1_000, last: 2_000 }],
      },
    ],
    copies: [{ record: "r", at: location, mark: "a=://b", literal: true, seen, sentence: address }],
    listed: [{ record: "r", thing: { is: "place", store: "s", place: { path: address } }, seen }],
    uses: [{ record: "r", of: { is: "account", issuer: "i", account: address }, seen, sentence: address }],
    malformed: [{ where: address, why: address }],
    covered: null,
    ...{ gaps: [address], gapsAgain: [address], cursor: `{"path":"a://b:c@d"}` },
  };

  it("has it in none of its texts, and keeps its marks and its cursor", () => {
    for (const clean of [withheldPart(part), soundPart(part)]) {
      expect(JSON.stringify(clean)).not.toContain(pw);
      expect([clean.copies[0]?.mark, clean.cursor]).toEqual(["a=://b", part.cursor]);
      expect(clean.gaps).toEqual(["https://***@git.example/x.yml"]);
    }
  });
});
