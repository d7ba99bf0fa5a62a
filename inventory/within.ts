/** Whether an address lies in a range, as estates claim addresses for consumers. */
import { BlockList, isIP } from "node:net";

/** True for an address in a CIDR range, and for one that is the same address; false for whatever is no address. */
export function isWithin(address: string, range: string): boolean {
  const family = isIP(address);
  const [net = "", bits] = range.split("/");
  const type = isIP(net) === 6 ? "ipv6" : "ipv4";
  if (family === 0 || isIP(net) === 0) return false;
  const list = new BlockList();
  if (bits === undefined) list.addAddress(net, type);
  else list.addSubnet(net, Number(bits), type);
  return list.check(address, family === 6 ? "ipv6" : "ipv4");
}

/** Whether that is an IP address. */
export function isAddress(text: string): boolean {
  return isIP(text) !== 0;
}
