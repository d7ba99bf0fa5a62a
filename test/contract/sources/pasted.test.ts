/** What of a pasted text may be a secret's value: all of it, and what the sources would meet in it. */
import { expect, it } from "vitest";
import { valuesPasted } from "../../../adapters/shared/source-pasted.js";
import { fresh } from "./folder-world.js";

const password = `${fresh("pw")}/+9`;
const coded = encodeURIComponent(password);
const values = (text: string) => valuesPasted(text).map(({ value }) => value);

it.each([
  ["an address", `postgres://orders:${coded}@db.example.com/orders`],
  ["a connection string", `host=db user=orders password=${password}`],
  ["settings of .NET", `Server=db;User Id=orders;Password=${password}`],
  ["a line of a file", `export ORDERS_LOGIN='${password}'`],
  ["a setting by its name", `password: ${password}`],
  ["a line of .pgpass", `db.example.com:5432:orders:orders_a:${password}`],
  ["a line of .netrc", `machine db.example.com login orders password ${password}`],
  ["a line of .npmrc", `//npm.example.com/:_authToken=${password}`],
  ["a section of .my.cnf", `[client]\nuser=orders\npassword=${password}`],
  ["a document", JSON.stringify({ username: "orders", password })],
])("of %s it is the whole, and the password", (_, text) => {
  expect(values(text)[0]).toBe(text);
  expect(values(text)).toContain(password);
  expect(new Set(values(text)).size).toBe(values(text).length);
});

it("an address in a line is a value, as it is where the whole of it is what somebody keeps", () => {
  const address = `amqps://orders:${coded}@mq.example.com`;
  const line = `MQ_URL=${address}`;
  expect(values(line)).toEqual([line, password, address]);
  expect(values(address)).toEqual([address, password]);
  expect(values(JSON.stringify({ url: address })).slice(1)).toEqual([password, address]);
});

it("of a bare value it is that alone, whatever is written in it", () => {
  for (const text of [password, "c2VjcmV0LW9mLXNob3A=", "ghp_Xk29dfKq0TzmPl81Wv5cBn7RsYe3Ua4hJg6L"])
    expect(values(text)).toEqual([text]);
});

it("what cannot be told from others is said, and has no value", () => {
  expect(valuesPasted("postgres://orders:postgres@db/orders")).toEqual([
    { as: "all of it", value: "postgres://orders:postgres@db/orders" },
    { as: "an address with a password in it", value: null },
  ]);
  expect(values("pa55wrd")).toEqual([null]);
  // Names of hosts, and text that is no setting are nobody's value.
  for (const text of ["DB_HOST=db.internal.example", "{ not json at all"])
    expect(values(text)).toEqual([text]);
});
