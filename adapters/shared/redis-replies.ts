/** What Redis answers in lines of text, as records: who is connected, and which other servers there are. */

import { socketHost } from "../../domain/discovery/match.js";

/** A connected client as CLIENT LIST tells it. `beganAt` is not later than in truth, in milliseconds on the node's clock. */
export interface ListedClient {
  readonly id: string;
  readonly user: string;
  readonly name: string;
  readonly address: string;
  readonly beganAt: number;
  /** The last command, `NULL` when there was none. */
  readonly command: string;
}

/** The clients of an answer, and the numbers of its lines, from 1, that tell of none. */
export interface Clients {
  readonly clients: readonly ListedClient[];
  readonly unread: readonly number[];
}

/** The clients in an answer to CLIENT LIST at `at`. It tells whole seconds; one that may be a second older counts as older. */
export function parseClients(text: string, at: number): Clients {
  const clients: ListedClient[] = [];
  const unread: number[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const fields = new Map(line.split(" ").map((field) => split(field, "=")));
    const id = fields.get("id");
    const age = Number(fields.get("age") ?? 0);
    if (id === undefined || Number.isNaN(age)) unread.push(index + 1);
    else
      clients.push({
        id,
        user: fields.get("user") ?? "",
        name: fields.get("name") ?? "",
        address: hostOf(fields.get("addr") ?? ""),
        beganAt: at - (age + 1) * 1_000,
        command: fields.get("cmd") ?? "NULL",
      });
  }
  return { clients, unread };
}

function split(text: string, at: string): [string, string] {
  const [name = "", ...rest] = text.split(at);
  return [name, rest.join(at)];
}

/** Without the port; a socket file has none that matters, and what the server cannot tell is not there. */
function hostOf(address: string): string {
  if (address.startsWith("/")) return socketHost;
  if (address.startsWith("?")) return "";
  return address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}

/** In an answer to INFO replication: the primary of a replica, the replicas of a primary. */
export function peersOf(info: string): string[] {
  const replicas = [...info.matchAll(/^slave\d+:ip=([^,]*),port=(\d+)/gm)].map(
    ([, ip, port]) => `${ip}:${port}`,
  );
  const [, host] = /^master_host:(\S+)/m.exec(info) ?? [];
  const [, port] = /^master_port:(\d+)/m.exec(info) ?? [];
  return host === undefined ? replicas : [...replicas, `${host}:${port}`];
}

/** In an answer to CLUSTER NODES: every member of a cluster but the one that is asked; those that failed may come back and let somebody in. */
export function membersOf(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const [, address = "", flags = ""] = line.split(" ");
    const [place = ""] = address.split("@");
    return line === "" || /myself|noaddr/.test(flags) ? [] : [place];
  });
}
