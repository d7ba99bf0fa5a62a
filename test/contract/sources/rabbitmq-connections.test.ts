/** The contract of the sources with a real RabbitMQ, and what it shows to whom. */
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { type ChannelModel, connect as connectAmqp } from "amqplib";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { rabbitmqConnections } from "../../../adapters/sources/rabbitmq-connections.js";
import { type RabbitmqServer, startRabbitmq } from "../../../worker/dev/rabbitmq-server.js";
import { edgeText, leakedAddress, oddName, scanned, sourceContract } from "../source.js";
import { call, depsOf } from "../stores/world.js";
import { type Front, httpFront } from "./front.js";
import { slowWay } from "./slow-login.js";

const value = randomBytes(18).toString("base64url");

let server: RabbitmqServer;
const open: ChannelModel[] = [];

async function api(method: string, path: string, body?: object): Promise<unknown> {
  const authorization = `Basic ${Buffer.from(`admin:${server.password.reveal()}`).toString("base64")}`;
  const answer = await fetch(`${server.api}/api/${path}`, {
    method,
    headers: { authorization, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return text === "" ? null : JSON.parse(text);
}

beforeAll(async () => {
  server = await startRabbitmq();
  for (const [user, tags] of [
    ["looks", "monitoring"],
    ["narrow", "management"],
    ["orders", ""],
  ]) {
    await api("PUT", `users/${user}`, { password: value, tags });
    await api("PUT", `permissions/%2F/${user}`, { configure: ".*", write: ".*", read: ".*" });
  }
});
afterAll(() => server?.stop());

function sourceOf(more: object = {}) {
  return rabbitmqConnections.create(
    rabbitmqConnections.config.parse({
      url: server.api,
      issuer: "queue",
      login: { username: "looks", password: "env:LOOKS" },
      ...more,
    }),
    depsOf({ "env:LOOKS": value }),
  );
}

/** How many connections the server shows; it takes a moment to show one, and to let it go. */
async function shown(count: number): Promise<void> {
  for (;;) {
    const found = (await api("GET", "connections")) as { user?: string }[];
    if (found.length === count && found.every(({ user }) => user !== undefined)) return;
    await pause(50);
  }
}

async function connect(name?: string): Promise<ChannelModel> {
  const { host, port } = server;
  const clientProperties = name === undefined ? {} : { connection_name: name };
  const found = await connectAmqp(
    { hostname: host, port, username: "orders", password: value },
    { clientProperties },
  );
  open.push(found);
  await shown(open.length);
  return found;
}

async function leave(connection: ChannelModel): Promise<void> {
  open.splice(open.indexOf(connection), 1);
  await connection.close();
  await shown(open.length);
}

async function leaveAll(): Promise<void> {
  for (const connection of [...open]) await leave(connection);
}

const edge = (name: string) =>
  `reader(address=127.0.0.1 applicationName=${name}) uses account(queue orders) session`;

sourceContract("rabbitmq-connections", async () => {
  await connect("orders-api");
  let planted: ChannelModel | undefined;
  let front: Front | undefined;
  let { api: url } = server;
  return {
    shows: "now",
    open: () => sourceOf({ url }),
    openUnreachable: () => sourceOf({ url: "http://127.0.0.1:1" }),
    shown: [edge("orders-api")],
    whole: true,
    plant: async () => {
      planted = await connect("report-job");
      return edge("report-job");
    },
    unplant: async () => {
      if (planted !== undefined) await leave(planted);
    },
    odd: async () => {
      await connect(oddName);
      await connect("behind");
      return edge("behind");
    },
    leak: () => connect(leakedAddress),
    // The entry of one of them comes with a number for a user, and beside it one that is none.
    spoil: async () => {
      await connect("in-front");
      await connect("behind");
      front = await httpFront(server.api);
      front.change = (answer, path) => {
        if (!path.startsWith("/api/connections")) return answer;
        const page = JSON.parse(String(answer)) as { items: { user_provided_name?: string }[] };
        const items = page.items.map((one) =>
          one.user_provided_name === "in-front" ? { ...one, user: 7 } : one,
        );
        return Buffer.from(JSON.stringify({ ...page, items: ["none", ...items] }));
      };
      url = `http://127.0.0.1:${front.port}`;
      return edge("behind");
    },
    large: {
      cannot:
        "A part is a page of 500 connections, which the server cuts; to have more of them takes it minutes, as it shows each one late.",
    },
    values: [value],
    close: async () => {
      await front?.close();
      await leaveAll();
    },
  };
});

describe("connections of RabbitMQ", () => {
  afterEach(leaveAll);

  it("are counted together by user, name and address, from the first of them on", async () => {
    for (let each = 0; each < 2; each++) await connect("orders-api");
    await connect();
    const parts = await scanned(sourceOf());
    expect(parts.flatMap(({ gaps }) => gaps)).toEqual([]);
    const claims = parts.flatMap((part) => part.claims);
    expect(claims.map((claim) => [edgeText(claim), claim.seen.count]).sort()).toEqual(
      [
        ["reader(address=127.0.0.1) uses account(queue orders) session", 1],
        [edge("orders-api"), 2],
      ].sort(),
    );
    expect(await sourceOf().preflight(call())).toEqual([]);
  });

  it("are hidden from a user without the tag, which is a gap and not nothing (H21)", async () => {
    await connect("orders-api");
    const narrow = sourceOf({ login: { username: "narrow", password: "env:LOOKS" } });
    const parts = await scanned(narrow);
    expect(parts.flatMap(({ claims }) => claims)).toEqual([]);
    expect(parts.flatMap(({ gaps }) => gaps)).toEqual([expect.stringContaining("lacks the tag monitoring")]);
    expect(await narrow.preflight(call())).toEqual([
      expect.objectContaining({ code: "rabbitmq-connections-incomplete", severity: "warn" }),
    ]);
  });

  it("H21: are shown, or cut off, within the time that a reading before a revocation waits", {
    timeout: 60_000,
  }, async () => {
    const waitedMs = rabbitmqConnections.deliveredWithinMs ?? 0;
    const [late, never] = await Promise.all([slowWay(server.port, 1), slowWay(server.port, 1)]);
    const began = Date.now();
    const coming = [late, never].map(({ port }) =>
      connectAmqp({ hostname: server.host, port, username: "orders", password: value }),
    );
    await Promise.all([late.stopped, never.stopped]);
    // Nothing tells of them: the API does not know yet that there is anybody.
    const before = await scanned(sourceOf());
    expect(before.flatMap(({ claims, gaps }) => [...claims, ...gaps])).toEqual([]);
    await pause(4_000);
    late.goOn();
    open.push((await coming[0]) as ChannelModel);
    await shown(1);
    await Promise.all([never.ended, expect(coming[1]).rejects.toThrow()]);
    expect(Date.now() - began).toBeLessThan(waitedMs);
    const after = await scanned(sourceOf());
    expect(after.flatMap(({ claims }) => claims.map(edgeText))).toEqual([
      "reader(address=127.0.0.1) uses account(queue orders) session",
    ]);
  });

  it("are not shown to a user who is refused", async () => {
    const wrong = sourceOf({ login: { username: "orders", password: "env:LOOKS" } });
    await expect(scanned(wrong)).rejects.toMatchObject({ code: "not-permitted" });
  });
});
