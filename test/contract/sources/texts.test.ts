/** Values within a file that stands in something else: the same value has the same hash there as alone, in whatever it stands. */
import { describe, expect, it } from "vitest";
import { valuesInSecretText, valuesInText } from "../../../adapters/shared/source-texts.js";
import { compose } from "../../../adapters/sources/compose.js";
import { envFiles } from "../../../adapters/sources/env-files.js";
import { kubernetesManifests } from "../../../adapters/sources/kubernetes-manifests.js";
import { terraform } from "../../../adapters/sources/terraform.js";
import { testMark } from "../../support/mark.js";
import { thingText } from "../source.js";
import { fresh, saidOf } from "./folder-world.js";

const password = fresh("pw");
const other = fresh("other");
const values = (text: string, name = "entry") => valuesInText(name, text).flatMap(({ value }) => value ?? []);
const secrets = (text: string, name = "entry") =>
  valuesInSecretText(name, text).flatMap(({ value }) => value ?? []);

const files: readonly (readonly [name: string, text: string])[] = [
  [".env", `DB_HOST=x\nDB_PASSWORD=${password}\n`],
  ["settings", `export DB_HOST=x\nexport DB_PASSWORD='${password}'`],
  ["app.properties", `spring.datasource.password=\\\n  ${password}`],
  ["my.cnf", `[client]\nuser=orders\npassword=${password}`],
  ["login", `db.example.com:5432:orders:orders_a:${password}`],
  ["netrc", `machine db.example.com\nlogin orders password ${password}`],
  ["npmrc", `//npm.example.com/:_authToken=${password}`],
  ["app.yaml", `db:\n  host: x\n  password: ${password}\n---\nother: x\n`],
  ["app", `db:\n  host: x\n  password: "${password}"\n`],
  ["app.json", JSON.stringify({ db: { host: "x", password } })],
  ["app", JSON.stringify([{ name: "DB_PASSWORD", value: password }])],
  ["broken.json", `{ "host": "x",\n  "password": "${password}",\n`],
  ["broken.yaml", `host: {{ x\npassword: ${password}\n`],
  ["app.hcl", `password = "${password}"`],
  ["app.toml", `[db]\npassword = "${password}" # of orders`],
  ["redis.conf", `maxmemory 1gb\nrequirepass ${password}\n`],
  ["options", `-Dspring.datasource.password=${password}`],
  ["dsn", `first line\nhost=db user=orders password=${password}\n`],
  ["values.yaml", `files:\n  .env: |\n    DB_HOST=x\n    DB_PASSWORD=${password}\n`],
];

describe("a file in a text", () => {
  it.each(files)("of %s: %s", (name, text) => {
    expect(values(text, name)).toContain(password);
    expect(secrets(text, name)).toContain(password);
  });

  it("is told as a whole beside its settings where it is kept as a secret", () => {
    const [[name, text]] = files as [(typeof files)[0]];
    expect(secrets(text, name)).toEqual([text.trim(), password]);
    expect(values(text, name)).toEqual([password]);
  });

  it("has fields that are values whatever they are called, in a secret of JSON", () => {
    const text = JSON.stringify({
      username: "orders",
      host: "db.internal",
      orders: "words-of-a-person",
      port: 5432,
    });
    expect(secrets(text)).toEqual([text, "words-of-a-person"]);
    expect(values(text)).toEqual([]);
  });

  it("has no value in a sentence, a key, a certificate or a value with an equals sign", () => {
    const body = `${"Qm9keQ0fZa7".repeat(5)}\nabcd==`;
    const key = `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----`;
    expect(secrets(key)).toEqual([key]);
    expect(values(`-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`, "ca.crt")).toEqual([]);
    expect(values("the password: ask-somebody-for-it")).toEqual([]);
    expect(values('maxmemory 1gb\nrequirepass "replace-default-auth"\n', "redis.conf")).toEqual([]);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the file.
    const reference = "${ORDERS_PASSWORD:-of-somebody}";
    expect(values(reference, "spring.datasource.password")).toEqual([]);
    expect(values(`a = x\n${reference}\n`, "app.hcl")).toEqual([]);
    expect(
      values('4.4.4.4 - - [12/Dec/2015:18:25:11 +0100] "GET /" "Mozilla/5.0 (Windows; rv:34.0) Gecko"'),
    ).toEqual([]);
    expect(secrets("k3y=abcdefgh1")).toEqual(["k3y=abcdefgh1"]);
    expect(secrets("arn:aws:iam::123456789012:role/orders")).toEqual([]);
  });

  it("says what is too common without a value, where nothing else is there", () => {
    expect(valuesInText("app.hcl", 'password = "postgres"')).toEqual([{ as: "a password", value: null }]);
    expect(valuesInSecretText("login", "postgres")).toEqual([{ as: "a value of a secret", value: null }]);
  });

  it.each([
    ["spaces", `a${" ".repeat(300_000)}b\nb`],
    ["brackets", "[".repeat(300_000)],
    ["backslashes", `${"\\".repeat(300_000)}x\nb`],
    ["empty lines", `a${"\n".repeat(300_000)}b`],
    ["quotes that stay open", `A="x\n${"b = 'c\n".repeat(40_000)}`],
  ])(
    "of a hostile hand is read in its time: %s",
    (_, text) => {
      const begun = performance.now();
      for (const name of ["a", "a.ini", "a.env", "a.properties"]) valuesInSecretText(name, text);
      expect(performance.now() - begun).toBeLessThan(30_000);
    },
    60_000,
  );
});

describe("what is encrypted where it stands", () => {
  const sealed = `AgB${"x9Z".repeat(240)}==`;
  it.each([
    "ENC[AES256_GCM,data:Xk29dfKq0TzmPl81Wv5cBn7R,iv:aa=,tag:bb==,type:str]",
    "ENC[PKCS7,Y22exl+OvjDe+drmik2XEeD3VQtl1uZJXFFF2NnrMXDWx0csyqLB]",
    "ENC(Xk29dfKq0TzmPl81Wv5cBn7RsYe3Ua4h)",
    "-----BEGIN AGE ENCRYPTED FILE-----\nYWdlLWVuY3J5cHRpb24ub3JnL3YxCg\n-----END AGE ENCRYPTED FILE-----",
    "-----BEGIN PGP MESSAGE-----\n\nhQEMA1qV\n-----END PGP MESSAGE-----",
    "$ANSIBLE_VAULT;1.1;AES256\n62313365396662343061393464336163\n3764",
    "\0GITCRYPT\0Xk29dfKq0TzmPl81Wv5cBn7R",
    "{cipher}Xk29dfKq0TzmPl81Wv5cBn7RsYe3Ua4h",
    sealed,
  ])("is no value: %s", (text) => {
    expect(values(text, "password")).toEqual([]);
    expect(secrets(text, "password")).toEqual([]);
    expect(secrets(JSON.stringify({ password: text }))).toEqual([]);
  });

  it("hides nothing that stands beside it in clear", () => {
    expect(
      secrets(`A_TOKEN=ENC[AES256_GCM,data:Xk29dfKq0T,type:str]\nDB_PASSWORD=${password}`, ".env"),
    ).toEqual([password]);
  });
});

const copiesOf = (found: Awaited<ReturnType<typeof saidOf>>) =>
  found.copies.map(({ at, mark }) => [thingText(at), mark]);

describe("each source", () => {
  it("knows it again in Secrets, plain and in base64, and in a ConfigMap", async () => {
    const env = `DB_HOST=x\nDB_PASSWORD=${password}\n`;
    const found = await saidOf(
      kubernetesManifests,
      {
        "s.yaml": `apiVersion: v1
kind: Secret
metadata: { name: plain }
stringData: { .env: ${JSON.stringify(env)}, sops: "ENC[AES256_GCM,data:Xk29dfKq0T,type:str]" }
---
apiVersion: v1
kind: Secret
metadata: { name: coded }
data: { app.json: ${Buffer.from(JSON.stringify({ db: { password: other } })).toString("base64")}, bin: ${Buffer.from([0xff, 0, 0xfe]).toString("base64")} }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: app }
data: { app.hcl: ${JSON.stringify(`password = "${password}"`)} }
`,
      },
      { cluster: "prod" },
    );
    const at = (path: string) => `location(kubernetes prod default/${path})`;
    expect(copiesOf(found)).toContainEqual([at("plain#.env"), testMark(password)]);
    expect(copiesOf(found)).toContainEqual([at("coded#app.json"), testMark(other)]);
    expect(copiesOf(found)).toContainEqual([at("ConfigMap/app#app.hcl"), testMark(password)]);
    expect(new Set(copiesOf(found).map(([place]) => place)).size).toBe(3);
  });

  it("knows it again in a secret of a state", async () => {
    const resource = {
      address: "aws_secretsmanager_secret_version.db",
      type: "aws_secretsmanager_secret_version",
      mode: "managed",
      values: { secret_id: "db", secret_string: JSON.stringify({ username: "orders", password }) },
    };
    const found = await saidOf(terraform, {
      "s.json": JSON.stringify({
        format_version: "1.0",
        terraform_version: "1.9.0",
        values: { root_module: { resources: [resource] } },
      }),
    });
    expect(copiesOf(found).map(([, mark]) => mark)).toContain(testMark(password));
  });

  it("knows it again in a config of compose, of one line and of YAML", async () => {
    const found = await saidOf(compose, {
      "compose.yaml": `services: { a: { image: x } }
configs:
  one: { content: "password=${password}" }
  many: { content: "db:\\n  host: x\\n  password: ${other}\\n" }
`,
    });
    const at = (name: string) => `location(repository shop compose.yaml#configs.${name}.content)`;
    expect(copiesOf(found)).toEqual([
      [at("one"), testMark(password)],
      [at("many"), testMark(other)],
    ]);
  });

  it("knows it again in a file within a file of configuration", async () => {
    const found = await saidOf(envFiles, {
      "values.yaml": `files:\n  app.ini: |\n    [db]\n    password = ${password}\n`,
    });
    expect(copiesOf(found).map(([, mark]) => mark)).toEqual([testMark(password)]);
  });
});
