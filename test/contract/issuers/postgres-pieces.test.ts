/** The pure pieces of the PostgreSQL kind, each against the server's own answer where there is one. */
import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scramVerifier } from "../../../adapters/issuers/postgres/scram.js";
import { doBlock, ident, literal } from "../../../adapters/issuers/postgres/sql-text.js";
import { roleSettingOf, versionText } from "../../../adapters/issuers/postgres/versions.js";
import { postgres } from "../../../adapters/issuers/postgres.js";
import { connectPg } from "../../../adapters/shared/pg.js";
import { translatePg } from "../../../adapters/shared/pg-errors.js";
import { Secret } from "../../../domain/secret.js";
import { type PostgresWorld, postgresWorld } from "./postgres-world.js";
import { call, codeOf } from "./world.js";

let world: PostgresWorld;

beforeAll(async () => {
  world = await postgresWorld();
});
afterAll(() => world.stop());

describe("SCRAM verifiers", () => {
  const passwords = [
    "plain",
    "with spaces  and 'quotes' \\ \" $",
    "pässwörd",
    "ﬁ ligature, Ⅸ and ª",
    "soft\u00adhyphen and joiner\u200d",
    "no-break\u00a0space and ideographic\u3000space",
    "decomposed e\u0301",
    "tab\tand bell\u0007",
    "日本語のパスワード",
    "x".repeat(500),
  ];

  it.each(passwords)("H33: is byte for byte what the server makes of %j", async (password) => {
    const { superuser } = world;
    await superuser.query("DROP ROLE IF EXISTS scram");
    await superuser.query(`CREATE ROLE scram LOGIN PASSWORD ${superuser.escapeLiteral(password)}`);
    const { rows } = await superuser.query("SELECT rolpassword FROM pg_authid WHERE rolname = 'scram'");
    const theirs: string = rows[0]?.rolpassword;
    const [, rounds = "", salt = ""] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(theirs) ?? [];
    expect(await scramVerifier(password, Buffer.from(salt, "base64"), Number(rounds))).toBe(theirs);
  });

  it("H33: logs in, and two of one value differ", async () => {
    const value = randomBytes(32).toString("base64url");
    const verifiers = await Promise.all([1, 2].map(() => scramVerifier(value, randomBytes(16))));
    expect(verifiers[0]).not.toBe(verifiers[1]);
    await world.superuser.query("DROP ROLE IF EXISTS scram2");
    await world.superuser.query(`CREATE ROLE scram2 LOGIN PASSWORD '${verifiers[0]}'`);
    await (await world.login("scram2", value)).end();
  });
});

describe("versions", () => {
  it("H13: the releases that ignore the role setting are refused by name, and those that forget it", () => {
    const by = (setting: string, versions: number[]) => {
      for (const version of versions) expect(roleSettingOf(version), versionText(version)).toBe(setting);
    };
    by("ignores", [170001, 160005, 150009, 140014]);
    by("forgets", [170000, 160004, 150008, 150000, 140013]);
    by("applied", [180004, 180000, 170002, 160006, 150018, 150010, 140015, 190000]);
    by("lacks", [130016, 130020, 120000, 90624]);
    expect(versionText(170001)).toBe("17.1");
    // 13.17 is the same release; it is named for what it does, though it is too old as well.
    by("ignores", [130017]);
  });
});

describe("SQL texts", () => {
  const names = ["orders", "Orders", "o'r\"d", "a;b", "ünïcode", "$rekey$", "back\\slash", "select"];

  it.each(names)("quotes the name and the text %j as the server does", async (name) => {
    const { superuser } = world;
    expect((await superuser.query(`SELECT 1 AS ${ident(name)}`)).fields[0]?.name).toBe(name);
    for (const setting of ["on", "off"]) {
      await superuser.query(`SET standard_conforming_strings = ${setting}`).catch(() => undefined);
      expect((await superuser.query(`SELECT ${literal(name)} AS text`)).rows).toEqual([{ text: name }]);
    }
    await superuser.query("RESET standard_conforming_strings");
    await superuser.query(doBlock(`  PERFORM ${literal(`$rekey$ ${name}`)};`));
  });

  it("refuses names that the server would cut off", () => {
    expect(() => ident("ü".repeat(32))).toThrow("63 bytes");
    expect(() => ident("")).toThrow("63 bytes");
    expect(() => literal("a\0b")).toThrow("zero byte");
  });
});

describe("settings", () => {
  it("are parsed with their defaults and refuse what could not work", () => {
    const login = { username: "rekey_a", password: "env:ENGINE" };
    expect(postgres.config.parse({ host: "db", database: "orders", login })).toEqual({
      host: "db",
      port: 5432,
      database: "orders",
      standbys: [],
      receivers: [],
      login,
    });
    const bad = (value: unknown) => postgres.config.safeParse(value).success;
    expect(bad({ host: "db", database: "orders", login: { ...login, password: "literal" } })).toBe(false);
    expect(bad({ host: "db", port: 70_000, database: "orders", login })).toBe(false);
    const accounts = [["a"], ["a", "b", "c", "d"], ["a", "a"], ["a", "x".repeat(64)]];
    for (const logins of accounts)
      expect(postgres.account.safeParse({ group: "g", logins }).success).toBe(false);
    expect(() => world.issuer({ group: "a", logins: ["a", "b"] })).toThrow("cannot be the group");
  });

  it("H18: two credentials on one login are noticed, whatever the database", () => {
    const at = (group: string, logins: string[], name: string) =>
      postgres.lockKeys({ ...world.config, database: name }, { group, logins });
    const first = at("orders", ["orders_a", "orders_b"], "one");
    expect(first.filter((key) => at("shop", ["orders_b", "shop_b"], "two").includes(key))).toHaveLength(1);
    expect(first.filter((key) => at("shop", ["shop_a", "shop_b"], "one").includes(key))).toEqual([]);
  });

  it("every field says what it is for", () => {
    for (const schema of [postgres.config, postgres.account]) {
      for (const [name, field] of Object.entries(schema.shape)) {
        expect((field as { description?: string }).description, name).toMatch(/\.$/);
      }
    }
  });
});

describe("the connection", () => {
  it("never shows what the server said", async () => {
    const raw = await world.superuser
      .query("SELECT 'canary-in-message'::int")
      .catch((error: unknown) => error);
    expect(String(raw)).toContain("canary-in-message");
    const translated = translatePg(raw, "db:5432");
    expect(JSON.stringify(translated) + String(translated.stack)).not.toContain("canary-in-message");
    expect(translated).toMatchObject({ code: "internal", message: expect.stringContaining("22P02") });
  });

  /** A server that is none: it answers every start with `bytes`. */
  async function impostor(bytes: Buffer): Promise<{ server: Server; port: number; heard: () => string }> {
    let heard = "";
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.write(bytes));
      socket.on("data", (chunk) => {
        heard += chunk.toString("latin1");
      });
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return { server, port: (server.address() as AddressInfo).port, heard: () => heard };
  }

  const login = {
    username: "orders_a",
    password: new Secret("canary-value"),
    applicationName: "rekey/probe/x",
  };

  it("H9: gives the value to nobody who asks for it in the clear", async () => {
    const clear = await impostor(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
    const work = connectPg({ host: "127.0.0.1", port: clear.port, database: "x" }, login, call());
    expect(await codeOf(work, "canary-value")).toBe("unsupported");
    expect(clear.heard()).not.toContain("canary-value");
    clear.server.close();
  });

  it("gives up on a server that says nothing when the call ends", async () => {
    const silent = await impostor(Buffer.alloc(0));
    const began = Date.now();
    const work = connectPg({ host: "127.0.0.1", port: silent.port, database: "x" }, login, call(200));
    expect(await codeOf(work)).toBe("unreachable");
    // Without the call's end it would wait for a connection's own time.
    expect(Date.now() - began).toBeLessThan(4_500);
    silent.server.close();
  });

  it("H9: asks for TLS where the estate says so, and does not go on without", async () => {
    const { host, port, user, password } = world.server;
    const tls = { mode: "verify-full" } as const;
    const work = connectPg(
      { host, port, database: "postgres", tls },
      { ...login, username: user, password },
      call(),
    );
    expect(await codeOf(work)).toBe("unsupported");
  });
});
