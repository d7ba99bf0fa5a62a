/** The contract of the sources with a table on a disk, and what a spreadsheet makes of one. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { table } from "../../../adapters/sources/table.js";
import {
  edgeText,
  largeCount,
  leaked,
  leakedAddress,
  oddName,
  scanned,
  sourceContract,
  together,
} from "../source.js";
import { call, depsOf } from "../stores/world.js";
import { overwritten } from "./growing.js";

const value = "hunter2-Canary-x9Qk3Lw8Rt5Zp1Vb7";

const head = "Consumer,Credential,Owner,Purpose,Application name,Depends on,Note";
const rows = [
  head,
  "orders-api,orders-db,orders-team,takes orders,,stock-api,",
  `,orders-db,,"nightly, on the old host",report-job,,${value}`,
  `stock-api,stock-db,,password=${value},,,`,
];
const shown = [
  "consumer(orders-api) uses credential(orders-db) declared",
  "consumer(orders-api) owned-by owner(orders-team) declared",
  "consumer(orders-api) depends-on consumer(stock-api) declared",
  "reader(applicationName=report-job) uses credential(orders-db) declared",
  "consumer(stock-api) uses credential(stock-db) declared",
];

function sourceOf(...files: string[]) {
  return table.create({ files }, depsOf());
}

sourceContract("table", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rekey-table-"));
  const file = join(folder, "known.csv");
  const write = (...more: string[]) => writeFile(file, [...rows, ...more].join("\r\n"));
  await write();
  return {
    shows: "now",
    open: () => sourceOf(file),
    openUnreachable: () => sourceOf(join(folder, "none.csv")),
    shown,
    whole: true,
    plant: async () => {
      await write("billing,billing-db,,,,,");
      return "consumer(billing) uses credential(billing-db) declared";
    },
    unplant: () => write(),
    spoil: async () => {
      await write(`Not A Name ${value},billing-db,,,,,`, `a"b,${value},c`, "last-one,billing-db,,,,,");
      return "consumer(last-one) uses credential(billing-db) declared";
    },
    // A cell with the shape of a secret is refused; one with a token alone in an address has none.
    leak: () =>
      write(
        `billing,billing-db,,see https://${leaked}@x.example,,,`,
        `,billing-db,,see https://x.example?sig=${leaked},billing-job,,`,
        `a,b-db,,${leakedAddress},,,`,
      ),
    odd: async () => {
      const cell = `"${oddName}"`;
      await write(`,billing-db,,${cell},${cell},,`, "last-one,billing-db,,,,,");
      return "consumer(last-one) uses credential(billing-db) declared";
    },
    large: async () => {
      const row = (name: string) => `,billing-db,,${"it does this and that ".repeat(20)},${name},,`;
      await write(
        ...Array.from({ length: largeCount }, (_, number) => row(`job-${number}`)),
        row("last-job"),
      );
      const edge = (name: string) => `reader(applicationName=${name}) uses credential(billing-db) declared`;
      return {
        edges: largeCount,
        late: async () => {
          await overwritten(file, "last-job", "late-job");
          return edge("late-job");
        },
      };
    },
    values: [value],
    close: () => rm(folder, { recursive: true, force: true }),
  };
});

describe("a table", () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rekey-table-"));
    file = join(folder, "known.csv");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const scan = async (content: string | Buffer) => {
    await writeFile(file, content);
    return await scanned(sourceOf(file));
  };
  const edges = (parts: Awaited<ReturnType<typeof scanned>>) =>
    parts.flatMap(({ claims }) => claims.map(edgeText));
  const bad = (parts: Awaited<ReturnType<typeof scanned>>) =>
    parts.flatMap(({ malformed }) =>
      malformed.map(({ where, why }) => `${where.slice(folder.length + 1)}: ${why}`),
    );

  it.each([
    ["a mark in front and CR LF", (text: string) => `\uFEFF${text.replaceAll("\n", "\r\n")}`],
    ["semicolons", (text: string) => text.replaceAll(",", ";")],
    ["tabs", (text: string) => text.replaceAll(",", "\t")],
    ["UTF-16", (text: string) => Buffer.from(`\uFEFF${text}`, "utf16le")],
    ["a compression", (text: string) => gzipSync(text)],
    ["CR alone", (text: string) => text.replaceAll("\n", "\r")],
    ["empty lines", (text: string) => text.replaceAll("\n", "\n\n")],
  ])("with %s says the same", async (_, written) => {
    const parts = await scan(written("credential,consumer\na-db,a\nb-db,b\n"));
    expect(edges(parts)).toEqual([
      "consumer(a) uses credential(a-db) declared",
      "consumer(b) uses credential(b-db) declared",
    ]);
    expect(bad(parts)).toEqual([]);
  });

  it("names each bad row by its line, and never what stands in it", async () => {
    const lines = [
      "consumer,credential,owner,address,since,confirmed",
      "a,a-db",
      `${value},a-db`,
      "a,a-db,x,y,z,1,2",
      `,a-db,,${value}`,
      "a,a-db,,,2026-02-30",
      "a,a-db,,,2026-01-02,2026-01-01",
      "a,a-db,,,,2999-01-01",
      ",,orders-team",
      '"two\nlines",b-db',
      "c,c-db",
    ];
    const parts = await scan(lines.join("\n"));
    expect(bad(parts)).toEqual([
      "known.csv line 3: its consumer is no name as the estate has them",
      "known.csv line 4: it has 7 cells, and the table has 6 columns",
      "known.csv line 5: its address is no IP address",
      "known.csv line 6: its since is no date such as 2027-01-05",
      "known.csv line 7: it is true since later than it was confirmed",
      "known.csv line 8: it was confirmed later than the table was written",
      "known.csv line 9: it does not say who uses what, who owns it, nor what else is known of it",
      "known.csv line 10: its consumer is no name as the estate has them",
    ]);
    expect(edges(parts)).toEqual([
      "consumer(a) uses credential(a-db) declared",
      "consumer(c) uses credential(c-db) declared",
    ]);
    expect(together(parts).records).toBe(10);
    expect(JSON.stringify(parts)).not.toContain(value);
  });

  it("says what a credential opens and makes, and what a consumer needs", async () => {
    const parts = await scan(
      [
        "credential,can_read,can_read_store,mints,mints_at,consumer,depends_on,depends_on_store,depends_on_issuer",
        "vault-root,other,vault,,,,,,",
        "cloud-admin,,,deploy-key,cloud,,,,",
        ",,,,,orders-api,stock-api,vault,orders-pg",
        ",,vault,,,orders-api,stock-api,,",
        "orders-db,,,,,,stock-api,,",
        "",
      ].join("\n"),
    );
    expect(edges(parts)).toEqual([
      "credential(vault-root) can-read credential(other) declared",
      "credential(vault-root) can-read store(vault) declared",
      "credential(cloud-admin) mints credential(deploy-key) declared",
      "credential(cloud-admin) mints issuer(cloud) declared",
      "consumer(orders-api) depends-on consumer(stock-api) declared",
      "consumer(orders-api) depends-on store(vault) declared",
      "consumer(orders-api) depends-on issuer(orders-pg) declared",
    ]);
    expect(bad(parts)).toEqual([
      "known.csv line 5: its can_read_store is of nothing: it names no credential or account",
      "known.csv line 6: its depends_on is of nothing: it names no consumer",
    ]);
  });

  it("knows a stranger by a host as sources show it", async () => {
    const parts = await scan("application_name,host,credential\norders,DB1.shop.example,orders-db\n");
    expect(parts.flatMap(({ claims }) => claims.map(({ from }) => from))).toEqual([
      {
        is: "reader",
        name: "orders db1.shop.example",
        traits: { applicationName: "orders", host: "db1.shop.example" },
      },
    ]);
  });

  it("says what a stranger and an account are, and of the estate's own entries the estate does", async () => {
    const parts = await scan(
      [
        "consumer,application_name,reader_class,credential,issuer,account,account_class",
        ",copilot,agent,,orders-pg,copilot,service-account",
        "orders-api,,agent,,orders-pg,orders,",
        ",copilot,,orders-db,,,token",
        ",copilot,robot,orders-db,,,",
        "",
      ].join("\n"),
    );
    expect(parts.flatMap(({ claims }) => claims.map(({ from, to }) => [from, to]))).toEqual([
      [
        { is: "reader", name: "copilot", traits: { applicationName: "copilot" }, class: "agent" },
        { is: "account", issuer: "orders-pg", account: "copilot", class: "service-account" },
      ],
    ]);
    const own = "is of nothing: the estate says what its own entries are";
    expect(bad(parts)).toEqual([
      `known.csv line 3: its reader_class ${own}`,
      `known.csv line 4: its account_class ${own}`,
      "known.csv line 5: its reader_class is none of service-account, api-key, token, certificate, workload-identity, signing-key, agent",
    ]);
  });

  it("says where a quotation mark is never closed, and a file is cut off", async () => {
    const open = await scan('consumer,credential\na,a-db\nb,"b-db\nc,c-db\n');
    expect(bad(open)).toEqual([
      "known.csv line 3: a quotation mark that is opened in it is never closed; the lines behind it were not read",
    ]);
    expect(edges(open)).toEqual(["consumer(a) uses credential(a-db) declared"]);
    const whole = gzipSync(`consumer,credential\n${"a,a-db\n".repeat(9)}`);
    expect(bad(await scan(whole.subarray(0, whole.length - 9)))).toEqual([
      expect.stringMatching(/breaks off$/),
    ]);
  });

  it("does not take other bytes for text", async () => {
    const parts = await scan(Buffer.from("consumer,credential,purpose\na,a-db,f\xfcr\nb,b-db,\n", "latin1"));
    expect(bad(parts)).toEqual(["known.csv line 2: it is not UTF-8 or UTF-16"]);
    expect(edges(parts)).toEqual(["consumer(b) uses credential(b-db) declared"]);
  });

  it("dates a row by its own columns, and by the file otherwise", async () => {
    const [part] = await scan("consumer,credential,since,confirmed\na,a-db,2026-01-01,2026-02-01\n");
    expect(part?.claims[0]?.seen).toEqual({
      first: Date.parse("2026-01-01"),
      last: Date.parse("2026-02-01"),
      count: 1,
    });
  });

  it("says what a credential is for, what it is and when it ends, with a user of it and without", async () => {
    const parts = await scan(
      [
        "consumer,credential,issuer,account,purpose,credential_purpose,expires,credential_class",
        ",payroll-sftp,,,monthly  upload,,2027-03-31,api-key",
        "vendor,payroll-sftp,,,uploads,the payroll,,",
        ",,main-db,legacy,,old reports,2027-01-01,",
        ",only-a-class,,,,,,token",
        "",
      ].join("\n"),
    );
    const named = (name: string, kind?: string) => {
      return { is: "named", type: "credential", name, ...(kind === undefined ? {} : { class: kind }) };
    };
    expect(parts.flatMap(({ listed }) => listed.map(({ record: _, seen: __, ...said }) => said))).toEqual([
      {
        thing: named("payroll-sftp", "api-key"),
        ...{ purpose: "monthly upload", expiresAt: Date.parse("2027-03-31") },
      },
      { thing: named("payroll-sftp"), purpose: "the payroll" },
      { thing: { is: "named", type: "consumer", name: "vendor" }, purpose: "uploads" },
      {
        thing: { is: "account", issuer: "main-db", account: "legacy" },
        ...{ purpose: "old reports", expiresAt: Date.parse("2027-01-01") },
      },
      { thing: named("only-a-class", "token") },
    ]);
    expect(bad(parts)).toEqual([]);
  });

  it("names a row whose purpose or end cannot be kept, and says the rest of it", async () => {
    const parts = await scan(
      [
        "consumer,credential,owner,purpose,credential_purpose,expires,credential_class",
        `,a-db,team,password=${value},,,`,
        `,b-db,team,${"word ".repeat(120)},,,`,
        "a,,team,,what for,,",
        "a,,team,,,2027-01-01,",
        "a,,team,,,,token",
        ",c-db,team,,,some day,",
        `a,d-db,,${"word ".repeat(120)},,,`,
        `a,d-db,,password=${value},,,`,
        "",
      ].join("\n"),
    );
    expect(bad(parts)).toEqual([
      "known.csv line 2: its purpose is left out, because a value seems to stand in it",
      "known.csv line 3: its purpose is longer than 500 characters and was left out",
      "known.csv line 4: its credential_purpose is of nothing: it names no credential or account",
      "known.csv line 5: its expires is of nothing: it names no credential or account",
      "known.csv line 6: its credential_class is of nothing: it names no credential",
      "known.csv line 7: its expires is no date such as 2027-01-05",
      "known.csv line 8: its purpose is longer than 500 characters and was left out",
    ]);
    expect(edges(parts)).toEqual([
      "credential(a-db) owned-by owner(team) declared",
      "credential(b-db) owned-by owner(team) declared",
      "consumer(a) uses credential(d-db) declared",
      "consumer(a) uses credential(d-db) declared",
    ]);
    expect(parts.flatMap(({ listed }) => listed)).toEqual([]);
    expect(parts.map(({ records }) => records)).toEqual([8]);
    expect(JSON.stringify(parts)).not.toContain(value);
  });

  it("says which column it did not read, and reports a file without names", async () => {
    const [part] = await scan(`consumer,credential,${value}\na,a-db,x\n`);
    expect(part?.gaps).toEqual([expect.stringContaining("column 3")]);
    expect(part?.hidden).toEqual([{ record: part?.claims[0]?.record, why: part?.gaps[0] }]);
    await writeFile(file, `a,${value}\n`);
    const source = sourceOf(file);
    expect(together(await scanned(source))).toMatchObject({ edges: [], malformed: [file] });
    const findings = await source.preflight(call());
    expect(findings).toEqual([
      expect.objectContaining({ code: "bad-input", severity: "refuse", subject: file }),
    ]);
    expect(JSON.stringify(findings)).not.toContain(value);
  });

  it("goes on in a second file, and reads a file anew that was changed meanwhile", async () => {
    const other = join(folder, "other.csv");
    await writeFile(other, "consumer,credential\nz,z-db\n");
    const many = Array.from({ length: 2_500 }, (_, index) => `c${index},a-db`).join("\n");
    await writeFile(file, `consumer,credential\n${many}\n`);
    const parts = await scanned(sourceOf(file, other));
    expect(parts.map(({ records }) => records)).toEqual([1_000, 1_000, 500, 1]);
    const rest = await scanned(sourceOf(file, other), parts[1]?.cursor);
    expect(rest.map(({ records }) => records)).toEqual([500, 1]);
    await writeFile(file, "consumer,credential\nnew-one,a-db\n");
    expect(edges(await scanned(sourceOf(file, other), parts[1]?.cursor))).toEqual([
      "consumer(new-one) uses credential(a-db) declared",
      "consumer(z) uses credential(z-db) declared",
    ]);
    await expect(scanned(sourceOf(file), "nonsense")).rejects.toMatchObject({ code: "bad-input" });
  });
});
