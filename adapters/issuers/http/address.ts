/**
 * Where a request may go. The host is the estate's alone; what its name resolves to is looked at once for each
 * operation, and the connection is made to that very address, so that a name cannot answer differently the second time.
 */
import { lookup } from "node:dns/promises";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { RekeyError } from "../../../domain/errors.js";
import type { Call } from "../../ports.js";
import { orWhenOver } from "../../shared/retry.js";

/** Which addresses an issuer may have. */
export type Network = "public" | "private" | "loopback";

/** An address as a resolver gives it. */
interface Resolved {
  readonly address: string;
  readonly family: number;
}

/** Resolves a host's name to all of its addresses. */
export type Resolver = (host: string) => Promise<readonly Resolved[]>;

/** Nobody's API: link-local, where clouds give out credentials of the machine, and what is no single host. */
const never = listOf(
  ["0.0.0.0", 8, "ipv4"],
  ["169.254.0.0", 16, "ipv4"],
  ["224.0.0.0", 3, "ipv4"],
  ["100.100.100.200", 32, "ipv4"],
  ["168.63.129.16", 32, "ipv4"],
  ["192.0.0.192", 32, "ipv4"],
  ["::", 128, "ipv6"],
  ["fe80::", 10, "ipv6"],
  ["ff00::", 8, "ipv6"],
  ["fd00:ec2::254", 128, "ipv6"],
  // These carry an IPv4 address that another machine would unpack.
  ["64:ff9b::", 96, "ipv6"],
  ["64:ff9b:1::", 48, "ipv6"],
  ["2002::", 16, "ipv6"],
);
const own = listOf(["127.0.0.0", 8, "ipv4"], ["::1", 128, "ipv6"]);
const inner = listOf(
  ["10.0.0.0", 8, "ipv4"],
  ["172.16.0.0", 12, "ipv4"],
  ["192.168.0.0", 16, "ipv4"],
  ["100.64.0.0", 10, "ipv4"],
  ["192.0.0.0", 24, "ipv4"],
  ["198.18.0.0", 15, "ipv4"],
  ["fc00::", 7, "ipv6"],
);

function listOf(...subnets: (readonly [string, number, "ipv4" | "ipv6"])[]): BlockList {
  const list = new BlockList();
  for (const [net, prefix, family] of subnets) list.addSubnet(net, prefix, family);
  return list;
}

/** True where an issuer of this network may have this address. */
export function isPermitted(address: string, network: Network): boolean {
  const version = isIP(address);
  if (version === 0) return false;
  const isIn = (list: BlockList) => list.check(address, version === 6 ? "ipv6" : "ipv4");
  if (isIn(never)) return false;
  if (network === "loopback") return isIn(own);
  return !isIn(own) && (network === "private" || !isIn(inner));
}

const system: Resolver = (host) => lookup(host, { all: true, verbatim: true });

/**
 * A way to this host that always leads to the address it has now. Throws `unreachable` where the name does not resolve,
 * and `unsupported` where one of its addresses is not one that the network allows: the others may be chosen next time.
 */
export async function pinned(
  hostname: string,
  network: Network,
  call: Call,
  resolve: Resolver = system,
): Promise<LookupFunction> {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const late = () => new RekeyError("unreachable", `${host} could not be resolved in time.`);
  const looking = resolve(host).catch(() => {
    throw new RekeyError("unreachable", `${host} has a name that does not resolve.`);
  });
  const all = await orWhenOver(looking, call.signal, late);
  const [first] = all;
  if (first === undefined) throw new RekeyError("unreachable", `${host} has a name that does not resolve.`);
  if (!all.every(({ address }) => isPermitted(address, network)))
    throw new RekeyError(
      "unsupported",
      `${host} leads to an address that is not one of a ${network} network.`,
      "Nothing was sent. Correct the address, or its `network`; link-local addresses are never used.",
    );
  return (_host, options, answer) =>
    options.all
      ? answer(null, [{ address: first.address, family: first.family }])
      : answer(null, first.address, first.family);
}
