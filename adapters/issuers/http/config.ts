/**
 * The description of a provider's API: requests with places to fill in, and where things stand in the answers. It is
 * data and nothing else; what a description may not say is refused here, with what to write instead.
 */
import { z } from "zod";
import { duration } from "../../../domain/estate/duration.js";
import { secretRef } from "../../../domain/estate/secret-ref.js";
import { tlsSchema } from "../../shared/http.js";
import { isPointer } from "./pointer.js";
import { namesIn, placeholders, textsIn } from "./template.js";

function words(pattern: RegExp, expected: string) {
  const error = `expected ${expected}`;
  return z.string({ error }).regex(pattern, { error });
}

const pointer = (what: string) =>
  z
    .string({ error: "expected a JSON pointer such as /data/0/id" })
    .refine(isPointer, { error: "expected a JSON pointer (RFC 6901) such as /data/0/id" })
    .describe(what);

/** No dots as a part: what the address says is before the path stays before it. */
const path = () =>
  words(
    /^\/(?!\/)(?!(?:[^?]*\/)?\.\.?(?:[/?]|$))[\x21\x22\x24-\x7e]*$/,
    "a path that begins with one slash, without `.` or `..` as a part of it, and without a fragment",
  );

const headerName = () => words(/^[A-Za-z0-9-]{1,64}$/, "the name of a header");

/** What is decided by the estate or by us, and not by a description. */
const ownHeaders = ["host", "content-length", "transfer-encoding", "connection", "cookie", "authorization"];

const headers = z
  .record(
    headerName().refine((name) => !ownHeaders.includes(name.toLowerCase()), {
      error: "expected another header than this one; what opens the door stands under `auth` and `present`",
    }),
    words(/^[\x20-\x7e]{0,1000}$/, "one line of plain text"),
  )
  .optional()
  .describe("Headers besides those of `auth`; they may have places to fill in.");

const statuses = (...usual: number[]) =>
  z
    .array(z.int({ error: "expected a status such as 200" }).min(200).max(599))
    .min(1)
    .prefault(usual);

const body = z.record(z.string(), z.unknown()).optional();

const request = {
  path: path().describe("Path and query below the address. Places to fill in: {key}, {tag}, {nonce}."),
  headers,
  success: statuses(200, 201, 202, 204).describe("Statuses that mean that it was done."),
};

const change = {
  ...request,
  method: z.enum(["POST", "PUT", "PATCH", "DELETE"]).describe("Method of the request."),
  body: body.describe("JSON body, with places to fill in."),
  form: z.record(z.string(), z.string()).optional().describe("The same as a form; instead of `body`."),
};

/** A request that changes something. */
const changing = (what: string) => z.strictObject(change).describe(what);

const paging = z
  .discriminatedUnion("by", [
    z.strictObject({
      by: z.literal("cursor").describe("The answer holds what the next request is to be asked with."),
      next: pointer("Where that stands; absent, empty or null on the last page."),
      parameter: words(/^[\w.[\]-]{1,64}$/, "the name of a parameter").describe(
        "Parameter that takes it to the next page.",
      ),
    }),
    z.strictObject({
      by: z.literal("link").describe("The answer's `Link` header names the next page (RFC 8288)."),
    }),
    z.strictObject({
      by: z.literal("page").describe("Pages have numbers, and one without keys is behind the last."),
      parameter: words(/^[\w.[\]-]{1,64}$/, "the name of a parameter").describe(
        "Parameter that takes the number.",
      ),
      first: z.int().min(0).max(1).prefault(1).describe("Number of the first page."),
    }),
  ])
  .optional()
  .describe("How the listing goes on; absent where it is whole.");

const auth = z
  .discriminatedUnion("type", [
    z.strictObject({
      type: z.literal("bearer").describe("`Authorization: Bearer ...`."),
      token: secretRef().describe("The engine's own token, as a reference."),
    }),
    z.strictObject({
      type: z.literal("basic").describe("`Authorization: Basic ...`."),
      user: z.string().min(1).describe("The engine's user name."),
      password: secretRef().describe("Its password, as a reference."),
    }),
    z.strictObject({
      type: z.literal("header").describe("A header of the provider's own."),
      name: headerName().describe("Its name."),
      value: secretRef().describe("Its value, as a reference."),
    }),
  ])
  .describe("How the engine logs in. Never with a key that it rotates here.");

const fence = z
  .discriminatedUnion("in", [
    z.strictObject({
      in: z.literal("label").describe("In the text that the provider keeps with each key (`keys.label`)."),
      set: changing("Writes {tag} into the label of {key}."),
    }),
    z.strictObject({
      in: z.literal("register").describe("In a file of the engine's own, where the provider has no place."),
      folder: words(/^\/(?:[^\0]*[^/\0])$/, "an absolute path")
        .refine((folder) => !folder.split("/").some((part) => part === "." || part === ".."), {
          error: "expected an absolute path without `..`",
        })
        .describe(
          "Folder of the engine's own, mode 0700. Every worker that rotates here needs the same one.",
        ),
      lockTimeout: duration({ positive: true })
        .prefault("5s")
        .describe("Longest wait for another process at the register."),
    }),
  ])
  .describe("Where the fence tag of a key stands.");

const description = {
  address: z
    .url({ protocol: /^https?$/, error: "expected an https address" })
    .describe("Scheme, host and, where there is one, a path that every request begins with."),
  network: z
    .enum(["public", "private", "loopback"])
    .prefault("public")
    .describe("Which addresses the host may have. Without TLS only `loopback`."),
  auth,
  tls: tlsSchema().optional().describe("How the provider is recognised."),
  timeout: duration({ positive: true }).prefault("5s").describe("For one request."),
  pagesMax: z
    .int()
    .min(1)
    .max(200)
    .prefault(20)
    .describe("A listing of more pages is an error, and never half a listing."),
  propagation: duration().prefault("0s").describe("How long the provider may go on accepting an old value."),
  derives: z
    .array(
      z.strictObject({
        what: z.string().min(1).max(100).describe("What it is, in the plural: `sessions`."),
        maxLife: duration().optional().describe("Its longest life; absent where nobody knows."),
        endedByDisable: z.boolean().describe("Whether it ends with the value."),
      }),
    )
    .prefault([])
    .describe("What is taken with a value and may outlive it."),
  identity: z
    .strictObject({
      path: request.path,
      headers,
      pointer: pointer("Where the provider's account says its id."),
    })
    .describe("Which account this is: asked before every change."),
  keys: z
    .strictObject({
      path: request.path,
      headers,
      items: pointer("Where the list of keys stands in the answer; empty for the whole answer."),
      id: pointer("The key's id, within a listed key."),
      label: pointer("A text of ours that the provider keeps with the key.").optional(),
      mark: pointer(
        "Something that is another one after each mint: a time, a number, the value's last letters.",
      ).optional(),
      enabled: z
        .strictObject({
          pointer: pointer("Where it stands, within a listed key."),
          is: z.union([z.string(), z.boolean()]).describe("What stands there while the key is accepted."),
        })
        .optional()
        .describe("Whether it is switched on; absent where whatever is listed is."),
      paging,
    })
    .describe("Lists the keys."),
  mint: z
    .strictObject({
      ...change,
      replaces: z
        .enum(["value", "key"])
        .describe(
          "`value`: {key} stays and gets another value. `key`: another key comes, with an id of its own.",
        ),
      value: pointer("Where the new value stands in the answer."),
      id: pointer("Where the new key's id stands in the answer; needed where another key comes.").optional(),
    })
    .describe("Has a value made."),
  disable: changing("Switches {key} off.").optional(),
  enable: changing("Switches {key} on again with the value that it had.").optional(),
  delete: changing("Removes {key}; needed where another key comes.").optional(),
  test: z
    .strictObject({
      ...request,
      method: z.enum(["GET", "POST"]).prefault("GET").describe("Method of the request."),
      body: body.describe("JSON body; with `present: body`, {value} stands in it."),
      present: z
        .union([
          z.enum(["bearer", "basic", "body"]),
          z.strictObject({ header: headerName().describe("The header's name.") }),
        ])
        .prefault("bearer")
        .describe("How a consumer shows the value; `basic` takes the key's id for the user name."),
      who: pointer("Where the answer says whose value it was."),
      is: z.string().prefault("{key}").describe("What has to stand there."),
      refused: statuses(401).describe("Statuses that mean that the value is refused."),
      at: z
        .array(z.url({ protocol: /^https?$/, error: "expected an https address" }))
        .prefault([])
        .describe("Every address that accepts the value, where these are others than `address`."),
    })
    .describe("Tries a value as a consumer would, and asks whose it is."),
  fence,
};

type Described = z.output<z.ZodObject<typeof description>>;
type Complain = (path: (string | number)[], expected: string) => void;

/** What only several parts together can have wrong. */
function whole(described: Described, complain: Complain): void {
  const { mint, keys, fence: where, test } = described;
  addresses(described, complain);
  for (const [name, one] of requestsOf(described)) places(name, one, complain);
  if (mint.replaces === "key" && mint.id === undefined)
    complain(["mint", "id"], "where the new key's id stands, because another key comes");
  if (mint.replaces === "key" && described.delete === undefined)
    complain(["delete"], "the request that removes a key, because the one before has to go");
  if (where.in === "label" && mint.replaces === "key")
    complain(["fence", "in"], "`register`, because a label goes with its key");
  if (where.in === "label" && keys.label === undefined)
    complain(["keys", "label"], "where the label stands, because the tag stands in it");
  if (where.in === "label" && !textsOf(where.set).some((text) => namesIn(text).includes("tag")))
    complain(["fence", "set"], "a request with {tag} in it");
  if (described.enable !== undefined && described.disable === undefined)
    complain(["disable"], "the request that switches a key off, because there is one that switches it on");
  if (test.present === "body" && !textsIn(test.body).some((text) => namesIn(text).includes("value")))
    complain(["test", "body"], "a body with {value} in it, because the value is shown there");
  for (const status of test.refused.filter((each) => test.success.includes(each)))
    complain(["test", "refused"], `statuses that mean nothing else; ${status} is among \`success\` too`);
}

/** Nothing goes out without TLS but to this machine, and no address carries anything but a place. */
function addresses({ address, network, test }: Described, complain: Complain): void {
  for (const [at, text] of [[["address"], address], ...test.at.map((one, i) => [["test", "at", i], one])] as [
    (string | number)[],
    string,
  ][]) {
    const { protocol, username, password, search, hash } = new URL(text);
    if (protocol !== "https:" && network !== "loopback") complain(at, "an https address");
    if (username !== "" || password !== "" || search !== "" || hash !== "")
      complain(at, "an address without user, query or fragment");
  }
}

type Templated = {
  path: string;
  headers?: Record<string, string> | undefined;
  body?: unknown;
  form?: unknown;
};

function requestsOf(described: Described): [(string | number)[], Templated][] {
  const { identity, keys, mint, test, fence: where } = described;
  const optional = (["disable", "enable", "delete"] as const).flatMap(
    (name): [(string | number)[], Templated][] => {
      const one = described[name];
      return one === undefined ? [] : [[[name], one]];
    },
  );
  return [
    [["identity"], identity],
    [["keys"], keys],
    [["mint"], mint],
    [["test"], test],
    ...optional,
    ...(where.in === "label" ? ([[["fence", "set"], where.set]] as [string[], Templated][]) : []),
  ];
}

function textsOf({ path: text, headers: own = {}, body: content, form }: Templated): string[] {
  return [text, ...Object.values(own), ...textsIn(content), ...textsIn(form)];
}

/** Each place to fill in is known, and the value goes where addresses and logs do not. */
function places(at: (string | number)[], one: Templated, complain: Complain): void {
  const unknown = textsOf(one)
    .flatMap(namesIn)
    .filter((name) => !(placeholders as readonly string[]).includes(name));
  if (unknown.length > 0)
    complain(at, `places to fill in that there are: {key}, {tag}, {nonce} and, to test, {value}`);
  if (namesIn(one.path).includes("value"))
    complain([...at, "path"], "a path without {value}: addresses stand in logs; see `present`");
  const elsewhere = at[0] === "test" ? Object.values(one.headers ?? {}) : textsOf(one).slice(1);
  if (elsewhere.some((text) => namesIn(text).includes("value")))
    complain(at, "no {value} here; the value is only shown in `test`, by `present`");
  if (one.body !== undefined && one.form !== undefined)
    complain([...at, "form"], "`body` or `form`, not both");
}

/** The description of one provider. */
export const configSchema = z.strictObject(description).superRefine((described, context) => {
  whole(described, (at, expected) =>
    context.addIssue({ code: "custom", path: at, message: `expected ${expected}` }),
  );
});

/** Ids go into sentences, tags' places and paths. */
export const idPattern = /^[\x21-\x7e]{1,200}$/;

const keyName = () => words(idPattern, "the id of a key, without spaces");

/** The keys of one credential. */
export const accountSchema = z
  .strictObject({
    keys: z
      .array(keyName())
      .min(1)
      .max(2)
      .describe(
        "Ids of the keys at the provider that take turns: one, or two where the provider bears two. Where minting makes another key: one name of your own.",
      ),
    spare: z
      .array(keyName())
      .prefault([])
      .describe("Of two keys, the one that nobody uses before the first rotation."),
    existing: keyName()
      .optional()
      .describe("Where minting makes another key: id of the one that is there before the first rotation."),
  })
  .superRefine(({ keys, spare }, context) => {
    if (new Set(keys).size < keys.length)
      context.addIssue({ code: "custom", path: ["keys"], message: "expected two different keys" });
    if (spare.some((key) => !keys.includes(key)))
      context.addIssue({ code: "custom", path: ["spare"], message: "expected one of `keys`" });
  });

/** Parsed description. */
export type HttpConfig = z.output<typeof configSchema>;

/** Parsed account. */
export type HttpAccount = z.output<typeof accountSchema>;
