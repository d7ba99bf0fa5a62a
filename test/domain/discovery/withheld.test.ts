/** No text that a source hands over has a secret in it that anybody could know for one (I6). */
import { describe, expect, it } from "vitest";
import type { ScanPart } from "../../../domain/discovery/said.js";
import { soundPart } from "../../../domain/discovery/sound.js";
import { withheld, withheldPart } from "../../../domain/discovery/withheld.js";

const pw = "q7Zt-not-for-you";
const jwt = `eyJ${"hbGciOiJ9".repeat(2)}.${"eyJzdWIi".repeat(2)}.${"c2lnbmF0".repeat(2)}`;
const key = `-----BEGIN PRIVATE KEY-----\n${"MIIB".repeat(9)}`;

/** Only of names that are too long. */
const sha256Hex = (text: string) => String(text.length);

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

/** As a generator of those lengths made them; nobody has been given one. */
const made = {
  short: "hT4wQ9zLr2XkVb7NfYc3Mj8P",
  long: "m3Xq-Vt8RbZ1yKfLw5Jd7NcGh2Ps_Tq9XzB4vMr6YkLd8WfHj3CnPg5StVb7QxZ2aEuR",
  bot: "AAGq7LmX2vTz9RkYb4WcHd8NfJs1PuQe5Vw",
};

describe("a path of an address", () => {
  it.each([
    [`https://hooks.example/services/T01ABCDEFG/B02ABCDEFGH/${made.short}`, 1],
    [`posts to https://chat.example/api/webhooks/1134567890123456789/${made.long}, always`, 1],
    [`https://api.example/bot1102015431:${made.bot}/sendMessage`, 1],
    [`https://ci:${pw}@hooks.example/with/key/${made.short}/x/${made.bot}?a=${pw}`, 2],
    [`https://hooks.example/a/#/${made.short}`, 1],
    [`https://logs.example/2026-01-01_${made.short}.json`, 1],
    [`wss://relay.example/${made.short}-${made.bot}`, 1],
    [`https://hooks.example/hT4wQ9zL-r2XkVb7N-fYc3Mj8P-aQ7Lm2Xv`, 1],
  ])("%s shows no token", (text, tokens) => {
    const shown = withheld(text);
    for (const value of [...Object.values(made), pw, "hT4wQ9zL"])
      expect(shown).not.toContain(value.slice(0, 8));
    expect(shown.split("/").filter((part) => part.includes("***") && !part.includes("@"))).toHaveLength(
      tokens,
    );
    expect(withheld(shown)).toBe(shown);
  });

  const hex = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
  const uuid = "3F2504E0-4F89-41D3-9a0c-0305e82c3301";
  it.each([
    `https://registry.example/v2/shop/api/manifests/sha256:${hex}`,
    `oci://registry.example/shop/api@sha256:${hex}`,
    `https://registry.example/x/sha512-${made.long}`,
    `https://registry.example/x/sha256:${made.bot}`,
    `https://git.example/Group-Name/Some.Repo2/commit/${hex.slice(0, 40)}`,
    "git+ssh://git.example/kubernetes-sigs/AWS-Load-Balancer-Controller_V2.git",
    "https://10.0.0.1:6443/apis/apps/v1/namespaces/shop/replicasets/orders-api-7d9f8b6c5d-x2x4z",
    "https://vault.example:8200/v1/secret/data/Team-A/Orders2/db-primary",
    "s3://trail/AWSLogs/123456789012/CloudTrail/eu-central-1/2026/01/01/123456789012_CloudTrail_eu-central-1_20260101T0000Z_eP4OPKzmJ5oG5iM6.json.gz",
    "s3://state/01ARZ3NDEKTSV4RRFFQ69G5FAV/terraform.tfstate",
    `https://issuer.example/id/${hex.slice(0, 32).toUpperCase()}`,
    `https://login.example/${uuid}/oauth2/v2.0/token`,
    "https://login.example/oauth2/aus1k2L3mNOPq7sTU5d7",
    "https://x.example/MyServiceV2HandlerForS3EventsProd/OrdersApi2LambdaFunctionRoleForK8s",
    "https://x.example/get-Started_With2-The-NewApi/Version_12_Of-The-Guide",
    "https://sqs.eu-central-1.example/123456789012/Orders-Events-Prod.fifo",
    `arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders/${made.short}`,
    `secret/data/${made.short}`,
    `https://${made.short}.example/`,
    "https://x.example/OrdersServiceStack-WebAppFunctionRole8A1B2C3D-XK2J9QW7P1ZT",
    "https://x.example/abcdefghijklmnopqrstuvwxyz-0123456789",
    "https://x.example/------------------------",
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
    for (const clean of [withheldPart(part), soundPart(part, sha256Hex)]) {
      expect(JSON.stringify(clean)).not.toContain(pw);
      expect([clean.copies[0]?.mark, clean.cursor]).toEqual(["a=://b", part.cursor]);
      expect(clean.gaps).toEqual(["https://***@git.example/x.yml"]);
    }
  });
});
