/** The source of values in `.env` files and configuration. */
import { expect, it } from "vitest";
import { jsonDocuments } from "../../../adapters/shared/source-config.js";
import { envLines, iniLines, propertyLines } from "../../../adapters/shared/source-dotenv.js";
import { envFiles } from "../../../adapters/sources/env-files.js";
import { testMark } from "../../support/mark.js";
import { edgeText, leakedAddress, sourceContract, thingText } from "../source.js";
import { folderCase, fresh, odd, saidOf } from "./folder-world.js";

const password = fresh("pw");
const token = fresh("tok");
const at = (path: string) => `location(repository shop ${path})`;
const inFile = (file: string, path: string) => `${at(`${file}#${path}`)} stored-in ${at(file)} declared`;

const files = {
  ".env": `# the database\nDB_HOST=db\nexport DB_PASSWORD="${password}" # new\nMODE=prod\n`,
  "config/app.yaml": `database:\n  url: postgres://orders:${password}@db/orders\nmail: { token: ${token} }\n`,
  "config/app.json": JSON.stringify({ env: [{ name: "API_TOKEN", value: token }], retries: 3 }),
  "config/app.properties": `spring.datasource.password = ${password}\n`,
  "config/app.ini": `[smtp]\nuser = shop\npassword = ${token} ; the old one\n`,
  "package-lock.json": JSON.stringify({ token }),
  "readme.md": `password=${password}`,
};

/** In which programs look up their logins. */
const logins = {
  "home/.pgpass": `db:5432:orders:orders_a:${password}\n`,
  "home/.my.cnf": `[client]\nuser = orders\npassword = "${password}"\n`,
  "home/.netrc": `machine mq\n  login orders\n  password ${token}\n`,
  "home/.npmrc": `//npm.example.com/:_authToken=${token}\n`,
  "home/.git-credentials": `https://orders:${password}@git.example.com\n`,
  "home/.aws/credentials": `[default]\naws_access_key_id = AKIA\naws_secret_access_key = ${token}\n`,
};

const shown = [
  inFile(".env", "DB_PASSWORD"),
  inFile("config/app.yaml", "database.url"),
  inFile("config/app.yaml", "mail.token"),
  inFile("config/app.json", "env.API_TOKEN.value"),
  inFile("config/app.properties", "spring.datasource.password"),
  inFile("config/app.ini", "smtp.password"),
  inFile("home/.pgpass", "db:5432:orders:orders_a"),
  inFile("home/.my.cnf", "client.password"),
  inFile("home/.netrc", "mq:orders"),
  inFile("home/.npmrc", "//npm.example.com/:_authToken"),
  inFile("home/.git-credentials", "git.example.com"),
  inFile("home/.aws/credentials", "default.aws_secret_access_key"),
];

sourceContract(
  "env-files",
  folderCase({
    kind: envFiles,
    files: { ...files, ...logins },
    shown,
    whole: true,
    planted: {
      files: { "deploy/prod.env": `SMTP_PASSWORD='${token}'\n` },
      edge: inFile("deploy/prod.env", "SMTP_PASSWORD"),
    },
    spoiled: {
      files: {
        "a/.env": `GOOD_TOKEN=${token}\nthis is no setting\nOPEN_PASSWORD="${password}\nLAST_TOKEN=${token}\n`,
      },
      edge: inFile("a/.env", "LAST_TOKEN"),
    },
    leaking: {
      "docker/config.json": JSON.stringify({ auths: { [leakedAddress]: { password } } }),
    },
    odd: {
      files: {
        [`a${odd.file}.env`]: `ODD_TOKEN=${token}\n`,
        "a.json": `{ ${odd.text}: { "password": "${password}" } }`,
        "b/.env": `LAST_TOKEN=${token}\n`,
      },
      edge: inFile("b/.env", "LAST_TOKEN"),
    },
    large: (names) => ({
      "a/.env": names.map((name) => `${name.toUpperCase()}_TOKEN=${token}${name}\n`).join(""),
    }),
    values: [password, token],
  }),
);

it("finds one value in three files as one, and says that it is a literal", async () => {
  const { copies } = await saidOf(envFiles, files);
  const of = (value: string) =>
    copies.filter(({ mark }) => mark === testMark(value)).map((copy) => thingText(copy.at));
  expect(of(password)).toEqual(
    [
      ".env#DB_PASSWORD",
      "config/app.properties#spring.datasource.password",
      "config/app.yaml#database.url",
    ].map(at),
  );
  expect(of(token)).toEqual(
    ["config/app.ini#smtp.password", "config/app.json#env.API_TOKEN.value", "config/app.yaml#mail.token"].map(
      at,
    ),
  );
  expect(copies.every(({ literal }) => literal)).toBe(true);
});

it("makes the program of the settings a reader of each value", async () => {
  const { claims } = await saidOf(envFiles, { ".env": `TOKEN=${token}` }, { workload: "host orders-api" });
  expect(claims.map(edgeText)).toContain(
    `reader(workload=host orders-api) uses ${at(".env#TOKEN")} declared`,
  );
});

it("reports each line that cannot be read by its number, and no character of it", async () => {
  const { malformed, claims } = await saidOf(envFiles, {
    "a.env": `GOOD_TOKEN=${token}\n${password} alone\nOPEN_PASSWORD="${password}\nLAST_TOKEN=${token}\n`,
    "b.ini": `[s]\n${password} and more\n`,
    "c.json": `{ "password": "${password}"`,
    "d.yaml": `a: 1\n---\npassword: "${password}\n`,
  });
  expect(malformed.map(({ where }) => where)).toEqual([
    "a.env:2",
    "a.env:3",
    "b.ini:2",
    "c.json:1",
    "d.yaml:4",
  ]);
  expect(claims).toHaveLength(2);
  expect(JSON.stringify(malformed)).not.toContain(password.slice(0, 8));
});

it.each<[string, Record<string, string>]>([
  ["A=1\nB = two \nC:3\nexport D=4", { A: "1", B: "two", C: "3", D: "4" }],
  ["A='it\\n $B # c'\nB=x # c\nC=x#c\nD=", { A: "it\\n $B # c", B: "x", C: "x#c", D: "" }],
  ['A="one\\ntwo \\"q\\" \\\\" # c\nB="a\nb"', { A: 'one\ntwo "q" \\', B: "a\nb" }],
  ["\r\n# c\r\nA=1\r\nBARE\r\n", { A: "1" }],
])("reads a .env file as docker compose does: %j", (text, expected) => {
  const { settings, bad } = envLines(text);
  expect(Object.fromEntries(settings.map(({ name, text }) => [name, text]))).toEqual(expected);
  expect(bad).toEqual([]);
});

it("reads properties as Java does", () => {
  const text = "# c\n! c\na=1\n b : two\nc three\nd=x\\\n   y\ne\\ f=\\u0041\\tB\ng=back\\\\\nempty=\n";
  expect(propertyLines(text).settings.map(({ path, text }) => [path, text])).toEqual([
    ["a", "1"],
    ["b", "two"],
    ["c", "three"],
    ["d", "xy"],
    ["e f", "A\tB"],
    ["g", "back\\"],
    ["empty", ""],
  ]);
});

it("reads an ini file", () => {
  const text = `; c\n# c\ntop=1\n[one]\na = "x ; y" ; c\nb=x;y\n[ two ]\nswitch\nc: 3 # c\n`;
  expect(iniLines(text)).toEqual({
    settings: [
      { path: "top", name: "top", text: "1" },
      { path: "one.a", name: "a", text: "x ; y" },
      { path: "one.b", name: "b", text: "x;y" },
      { path: "two.c", name: "c", text: "3" },
    ],
    bad: [],
  });
});

it.each([
  ["one", '{"a": 1}', ['1: {"a":1}']],
  ["one on several lines", '{\n"a":\n1}\n', ['1: {"a":1}']],
  ["one a line", '{"a":1}\n\n  {"b":"}{"}\r\n[3]\n', ['1: {"a":1}', '3: {"b":"}{"}', "4: [3]"]],
  [
    "one a line, of which one is wrong",
    '{"a":1}\n{"b":\n{"c":3}\n',
    ['1: {"a":1}', "2: no valid JSON", '3: {"c":3}'],
  ],
  [
    "one behind the other",
    '{\n  "a": "\\"}"\n}\n{\n  "b": [2]\n} [3]',
    ['1: {"a":"\\"}"}', '4: {"b":[2]}', "6: [3]"],
  ],
  [
    "one behind the other, of which one is wrong",
    '{\n"a": 1\n}\n{\n"b": 2,\n}\n{\n"c": 3\n}',
    ['1: {"a":1}', "4: no valid JSON; nothing behind it was read"],
  ],
  ["one that is wrong", '{\n"a": 1,\n}\n', ["1: no valid JSON"]],
  ["one that is never closed", '{"a": [1', ["1: no valid JSON"]],
  ["words", "no JSON\nat all", ["1: no valid JSON"]],
  ["nothing", "", ["1: no valid JSON"]],
])("JSON: %s", (_name, text, found) => {
  const told = jsonDocuments(text).map(
    (parsed) => `${parsed.line}: ${"value" in parsed ? JSON.stringify(parsed.value) : parsed.why}`,
  );
  expect(told).toEqual(found);
});

it("reads every document of a JSON file, and names the line that is wrong", async () => {
  const { copies, malformed } = await saidOf(envFiles, {
    "lines.json": `{"a_token":"${token}"}\n{"b_token":\n{"c_password":"${password}"}\n`,
    "pretty.json": `{\n "d_token": "${token}"\n}\n{\n "e_password": "${password}"\n}\n`,
  });
  expect(copies.map(({ at: place }) => thingText(place)).sort()).toEqual([
    at("lines.json#a_token"),
    at("lines.json#c_password"),
    at("pretty.json#d_token"),
    at("pretty.json#e_password"),
  ]);
  expect(malformed.map(({ where }) => where)).toEqual(["lines.json:2"]);
});

it("takes the id of a cloud's key for what it is, whatever the setting is called, and its secret for a value", async () => {
  const id = ["AKIA", "IOSFODNN7EXAMPLE"].join("");
  const { copies } = await saidOf(envFiles, {
    ".env": `AWS_ACCESS_KEY_ID=${id}\nAWS_ACCESS_KEY=${id}\nAWS_SECRET_ACCESS_KEY=${password}\n`,
  });
  expect(copies.map(({ at: place }) => thingText(place))).toEqual([at(".env#AWS_SECRET_ACCESS_KEY")]);
});
