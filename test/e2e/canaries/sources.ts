/** Places that discovery reads, with a canary in each where somebody could have left a value; the files themselves are nobody's output. */
import { randomInt } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Planted } from "./planted.js";

/** The sources of the estate over those places, and what each shows of them: an edge of a location that is looked for by this name. */
export interface ReadPlaces {
  readonly sources: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Part of the name of a place of each source, which is on the map when it was read. */
  readonly shown: Readonly<Record<string, string>>;
}

/** A token as webhooks have one in the path of their address, in which no run of letters looks like a word by chance. */
function webhookToken(): string {
  const one = (of: string) => of.charAt(randomInt(of.length));
  const three = () => one("abcdefghijkmnpqrstuvwxyz") + one("23456789") + one("ABCDEFGHJKLMNPQRSTUVWXYZ");
  return Array.from({ length: 8 }, three).join("");
}

/** An address as somebody leaves it where a name is expected, with a value in its user. */
export function addressWith(planted: Planted, name: string): string {
  return `https://ci:${planted.draw(name, "plain")}@git.example/x.yml`;
}

/** One with a value in its path. */
export function webhookWith(planted: Planted, name: string): string {
  return `https://hooks.example/services/T01/${planted.know(name, webhookToken())}`;
}

/** Writes the files below the folder. Every value is drawn for one of them, with characters that formats write in another way where they take them. */
export async function placesWithValues(
  folder: string,
  planted: Planted,
  { account, region }: { readonly account: string; readonly region: string },
): Promise<ReadPlaces> {
  const put = async (path: string, text: string): Promise<string> => {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    return file;
  };
  const named = (name: string) => addressWith(planted, name);
  const hooked = (name: string) => webhookWith(planted, name);
  const odd = (name: string) => planted.draw(name);
  const plain = (name: string) => planted.draw(name, "plain");
  const quoted = (name: string) => JSON.stringify(odd(name));
  const asked = (name: string) => `https://git.example/x.yml?sig=${plain(name)}`;

  await put(
    "compose/compose.yaml",
    `services:\n  api: { environment: { DB_PASSWORD: ${quoted("a literal of compose")} }, env_file: [ api.env ] }\n`,
  );
  await put(
    "compose/named/compose.yaml",
    `include: [ "${named("an include of compose")}", "${asked("a query of an include of compose")}", "${hooked("a path of an include of compose")}" ]\nservices: { far: { extends: { file: "${named("an extends of compose")}", service: x }, env_file: [ "${named("an env_file of compose")}", "a.env?sig=${plain("a query of an env_file")}" ] } }\nsecrets: { s: { file: "${named("a file of a secret of compose")}" } }\n`,
  );
  await put("compose/api.env", `SMTP_PASSWORD=${plain("an env file of compose")}\n`);
  await put(
    "compose/torn/compose.yaml",
    `services: { api: { environment: { PASSWORD: "${plain("a torn file")}`,
  );
  await put(
    "env/.env",
    `API_TOKEN="${plain("an env file")}"\nnot a setting ${plain("a line that is none")}\n`,
  );
  await put(
    "env/app.yaml",
    `database: { url: "postgres://orders:${plain("a password in a URL")}@db/orders" }\n`,
  );
  await put(
    "ci/.gitlab-ci.yml",
    `include: [ "${named("an include of GitLab")}", "${asked("a query of an include of GitLab")}", "${hooked("a path of an include of GitLab")}" ]\ndeploy: { variables: { DEPLOY_TOKEN: ${quoted("a variable of GitLab")} }, script: [ "x" ], extends: "${named("an extends of GitLab")}" }\n`,
  );
  await put(
    "ci/.github/workflows/ci.yml",
    `jobs: { deploy: { env: { DEPLOY_PASSWORD: ${quoted("a variable of GitHub")} }, steps: [] }, called: { uses: "./.github/workflows/x.yml?sig=${plain("a query of a called workflow")}" } }\n`,
  );
  await put(
    "kubernetes/all.yaml",
    `apiVersion: v1\nkind: Secret\nmetadata: { name: orders, namespace: shop }\ndata: { password: ${Buffer.from(odd("a Secret of Kubernetes")).toString("base64")} }\n---\napiVersion: v1\nkind: Pod\nmetadata: { name: orders, namespace: shop }\nspec: { containers: [ { name: c, env: [ { name: DB_PASSWORD, value: ${quoted("a literal of a Pod")} } ], envFrom: [ { secretRef: { name: "${named("the name of a Secret")}" } }, { secretRef: { name: "${hooked("a path in the name of a Secret")}" } } ] } ] }\n`,
  );
  const resource = {
    ...{ address: "random_password.db", type: "random_password" },
    values: { result: odd("a state of Terraform") },
  };
  await put(
    "terraform/state.json",
    JSON.stringify({
      format_version: "1.0",
      terraform_version: "1.9.8",
      values: {
        root_module: {
          resources: [
            resource,
            { ...resource, address: `random_password.of["${named("an index of Terraform")}"]` },
          ],
        },
      },
    }),
  );
  const leaked = odd("a report of gitleaks");
  const leak = {
    RuleID: "key",
    File: "leaks.env",
    StartLine: 3,
    Secret: leaked,
    Match: leaked,
    Commit: "",
    Date: "",
  };
  const gitleaks = await put(
    "reports/gitleaks.json",
    JSON.stringify([
      leak,
      { ...leak, File: named("a file of a report") },
      { RuleID: odd("a bad entry of it") },
    ]),
  );
  const Raw = odd("a report of TruffleHog");
  const trufflehog = await put(
    "reports/trufflehog.jsonl",
    `${JSON.stringify({
      ...{ SourceMetadata: { Data: { Filesystem: { file: "found.env", line: 4 } } }, SourceName: "here" },
      ...{ DetectorName: "URI", Verified: false, Raw, RawV2: "", Redacted: "" },
    })}\n${odd("a line of it that is no JSON")}\n`,
  );
  const table = await put(
    "known.csv",
    `application_name,credential,purpose,consumer\njob-in-a-table,orders-db,password=${plain("a purpose in a table")},\n,orders-db,it reads,${plain("a name in a table")}!\njob-of-a-table,orders-db,see ${asked("an address in a table")},\njob-of-a-webhook,orders-db,tells ${hooked("a webhook in a table")},\n`,
  );
  const at = new Date(Date.now() - 60_000).toISOString().replace(/\.\d+/, "");
  const line = {
    ...{ time: at, type: "response" },
    auth: {
      client_token: "hmac-sha256:00",
      entity_id: "e-audit-reader",
      display_name: "approle-audit-reader",
    },
    request: {
      ...{ id: "1", operation: "read", path: "secret/data/lies" },
      mount_type: "kv",
      remote_address: "10.0.0.1",
    },
    response: { mount_type: "kv", data: { data: { password: odd("a line of an audit log") } } },
  };
  const someone = {
    ...line,
    auth: { display_name: named("a display name of an audit log") },
  };
  const webhook = { ...line, auth: { display_name: hooked("a path in a display name of an audit log") } };
  const log = await put(
    "audit.log",
    `${[line, someone, webhook].map((one) => `${JSON.stringify(one)}\n`).join("")}{"time": ${odd("a torn line of an audit log")}\n`,
  );
  const event = {
    ...{
      eventVersion: "1.11",
      eventTime: at,
      eventSource: "secretsmanager.amazonaws.com",
    },
    ...{
      eventName: "PutSecretValue",
      awsRegion: region,
      recipientAccountId: account,
      sourceIPAddress: "198.51.100.7",
    },
    userIdentity: {
      type: "IAMUser",
      arn: `arn:aws:iam::${account}:user/trail-reader`,
      accountId: account,
      userName: "trail-reader",
    },
    requestParameters: { secretId: "lies", secretString: odd("an event of CloudTrail") },
  };
  const read = { ...event, eventName: "GetSecretValue", requestParameters: { secretId: "apps/lies" } };
  // A program's name is what it says of itself.
  const called = {
    ...{ ...event, eventName: "ListBuckets", requestParameters: null },
    userIdentity: { ...event.userIdentity, accessKeyId: "AKIAEXAMPLE0000000000" },
    userAgent: `shop (+${named("a user agent of CloudTrail")}; ${hooked("a path in a user agent of CloudTrail")})`,
  };
  const trail = await put("trail/a.json", JSON.stringify({ Records: [event, read, called] }));

  const over = (kind: string, below: string, more: object = {}) => ({
    ...{ kind, owner: "alice", directory: join(folder, below), name: "lies" },
    ...more,
  });
  return {
    sources: {
      compose: over("compose", "compose"),
      env: over("env-files", "env"),
      gitlab: over("gitlab-ci", "ci"),
      github: over("github-actions", "ci"),
      manifests: over("kubernetes-manifests", "kubernetes", { cluster: "prod" }),
      state: over("terraform", "terraform"),
      gitleaks: { kind: "gitleaks", owner: "alice", reports: [{ file: gitleaks, repository: "lies" }] },
      trufflehog: { kind: "trufflehog", owner: "alice", reports: [{ file: trufflehog, repository: "lies" }] },
      known: { kind: "table", owner: "alice", files: [table] },
      log: { kind: "vault-audit", owner: "alice", store: "sound", from: { method: "files", paths: [log] } },
      trail: {
        ...{ kind: "cloudtrail", owner: "alice", account, region, store: "aws-sound" },
        from: { method: "files", paths: [trail] },
      },
    },
    shown: {
      compose: "compose.yaml#services.api.environment.DB_PASSWORD",
      env: "app.yaml#database.url",
      gitlab: ".gitlab-ci.yml#deploy.variables.DEPLOY_TOKEN",
      github: "ci.yml#jobs.deploy.env.DEPLOY_PASSWORD",
      manifests: "shop/orders#password",
      state: "random_password.db#result",
      gitleaks: "leaks.env:key",
      trufflehog: "found.env:URI",
      known: "job-in-a-table",
      log: "audit-reader",
      trail: "user/trail-reader",
    },
  };
}
