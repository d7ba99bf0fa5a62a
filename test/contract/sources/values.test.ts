/** What the sources of configuration take for a value, and what not: both mistakes cost somebody. */
import { describe, expect, it } from "vitest";
import { textOf } from "../../../adapters/shared/source-files.js";
import { secretName, valuesIn, valuesOfSecret } from "../../../adapters/shared/source-values.js";
import { fresh } from "./folder-world.js";

const password = fresh("pw");
const values = (name: string, text: string) => valuesIn(name, text).map(({ value }) => value);

describe("names", () => {
  it.each([
    "password",
    "DB_PASSWORD",
    "dbPassword",
    "spring.datasource.password",
    "API_KEY",
    "accessToken",
    "client-secret",
    "SECRET_KEY",
    "PASSWORD_2",
    "MYSQL_PWD",
    "rootpassword",
  ])("%s holds a secret", (name) => {
    expect(secretName(name)).not.toBeNull();
  });
  it.each([
    "passwordFile",
    "SECRET_NAME",
    "partition_key",
    "tokenUrl",
    "PASSWORD_MIN_LENGTH",
    "key",
    "secretRef",
    "existingSecret",
    "imagePullSecrets",
    "secrets",
    "monkey",
    "compass",
    "user",
  ])("%s holds none", (name) => {
    expect(secretName(name)).toBeNull();
  });
});

describe("values", () => {
  it.each([
    ["PASSWORD", password],
    ["URL", `postgres://orders:${password}@db:5432/orders`],
    ["URL", `postgresql://orders:${password}@one:5432,two:5432/orders`],
    ["DSN", `orders:${password}@tcp(db:3306)/orders?parseTime=true`],
    ["DSN", `host=db user=orders password=${password} dbname=orders`],
    ["DSN", `Server=db;Database=orders;User Id=orders;Password=${password};`],
    ["URL", `jdbc:postgresql://db/orders?user=orders&password=${password}`],
    ["BROKERS", `amqp://a:${password}@one/,amqp://b:\${OTHER}@two/`],
    ["note", `curl -H "Authorization: Bearer ${password}"`],
    ["Authorization", `Bearer ${password}`],
    ["Authorization", `Basic ${Buffer.from(`orders:${password}`).toString("base64")}`],
    ["SECRET_KEY_BASE", password],
    ["REDISCLI_AUTH", password],
    ["DBPASS", password],
    ["note", `redis://:${encodeURIComponent(password)}@cache:6379/0`],
  ])("finds the one in %s", (name, text) => {
    expect(values(name, text)).toEqual([password]);
  });

  it.each([",", "'", '"', "/", "#", "?", ":", "/@"])("finds one with %s in it, in an address", (odd) => {
    const value = `${password}${odd}more`;
    expect(values("URL", `postgres://u:${value}@db/x?sslmode=require`)).toEqual([value]);
    expect(values("URLS", `amqp://u:${value}@one/,amqp://u:\${OTHER}@two/`)).toEqual([value]);
    expect(values("URL", `https://u:${value}@git.example/x`)).toEqual([value]);
  });

  it("decodes the password of an address, so that it is the same as alone", () => {
    expect(values("URL", "postgres://u:p%40ss%2Fw0rd-x@db/x")).toEqual(["p@ss/w0rd-x"]);
    expect(values("URL", "postgres://u:100%-sure-pw@db/x")).toEqual(["100%-sure-pw"]);
  });

  it.each([
    ["PASSWORD", `\${DB_PASSWORD}`],
    ["PASSWORD", "$DB_PASSWORD"],
    ["PASSWORD", "{{ .Values.password }}"],
    ["PASSWORD", "vault:apps/orders#password"],
    ["PASSWORD", "file:/run/secrets/x"],
    ["PASSWORD", "<put it here>"],
    ["PASSWORD", "your-password"],
    ["PASSWORD", "CHANGE_ME_NOW"],
    ["PASSWORD", "/run/secrets/password"],
    ["TOKEN", "********"],
    ["TOKEN", "true"],
    ["id-token", "write"],
    ["SECRET", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:orders"],
    ["description", "the password is kept by the operators"],
    ["PASSWORD", "Please ask the operators for it"],
    ["URL", `postgres://orders:\${PASSWORD}@db/orders`],
    ["URL", "https://example.com/a?b=c"],
    ["URL", "https://example.com:8080/a@v2?mail=a@b"],
    ["LISTENERS", "PLAINTEXT://:9092,EXTERNAL://kafka-of-the-shop-that-has-a-long-name:external"],
    ["image", "docker://alpine:3.8@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    ["note", "Bearer authentication"],
    ["note", "Basic authentication, or a Bearer token"],
    ["Authorization", `Bearer \${TOKEN}`],
    ["BYPASS", "the-other-way-round"],
    ["KNOWLEDGE_BASE", "the-other-way-round"],
    [
      "image",
      "registry.example.com/shop/api@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
    ["checksum", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    ["id", "2f1c9a4e7b3d4c5f8a6b9d0e1f2a3b4c"],
    ["sshPrivateKey", "-----BEGIN OPENSSH PRIVATE KEY-----\n...\n-----END OPENSSH PRIVATE KEY-----"],
    ["note", "-----BEGIN RSA PRIVATE KEY-----\n<yours>\n-----END RSA PRIVATE KEY-----\n"],
    ["SENTINEL_ID_0", "3c0d9c0320bb34888c2df5757c718ce6ca992ce6"],
  ])("finds none in %s: %s", (name, text) => {
    expect(valuesIn(name, text)).toEqual([]);
  });

  it("names what is too short or too common, without a value to compare", () => {
    for (const text of [
      "hunter2",
      "postgres",
      "Password123",
      "mysecretpassword",
      "my-super-secret-key",
      "abcd********wxyz",
      "Canary-q8Z...",
    ]) {
      expect(valuesIn("DB_PASSWORD", text)).toEqual([{ as: "a password", value: null }]);
    }
  });

  it("finds what nobody writes by hand behind any name, and a key of many lines as one value", () => {
    const made = Array.from(
      { length: 12 },
      (_, index) => `${String.fromCharCode(97 + index)}${index % 10}`,
    ).join("");
    expect(values("setting", made)).toEqual([made]);
    const key = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----";
    expect(values("note", key)).toEqual([key]);
  });

  it("takes all of a secret's own entry, but neither its user name nor a certificate", () => {
    expect(valuesOfSecret("anything", "correct horse")).toHaveLength(1);
    for (const none of ["$PASSWORD", "{{ .password }}", "change-me", "true"]) {
      expect(valuesOfSecret("anything", none)).toEqual([]);
    }
    for (const time of ["2019-03-20T17:54:53Z", "2019-03-20", "2019-03-20 17:54:53.120+02:00"])
      expect(valuesOfSecret("admin.passwordMtime", time)).toEqual([]);
    expect(valuesOfSecret("project", "orders-team")).toEqual([]);
    expect(valuesOfSecret("username", "orders-app")).toEqual([]);
    expect(valuesOfSecret("ca.crt", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----")).toEqual(
      [],
    );
  });
});

describe("texts", () => {
  it("are told by their byte order mark, and are none with a zero in them", () => {
    expect(textOf(Buffer.from([0xfe, 0xff, 0, 0x61]))).toBe("a");
    expect(textOf(Buffer.from("a\r\nb\rc"))).toBe("a\nb\nc");
    expect(textOf(Buffer.from("a\0b"))).toBeNull();
    expect(textOf(Buffer.from([0xc3, 0x28]))).toBeNull();
  });
});
