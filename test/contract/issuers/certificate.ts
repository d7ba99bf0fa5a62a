/** A throw-away certificate for a test's own server, written by hand because Node can read certificates but not make them. */
import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** Both in PEM. */
export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
}

function der(tag: number, ...parts: (Buffer | readonly number[])[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const size = body.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const sequence = (...parts: Buffer[]) => der(0x30, ...parts);
const oid = (...bytes: number[]) => der(0x06, bytes);
const commonName = (text: string) =>
  sequence(der(0x31, sequence(oid(0x55, 0x04, 0x03), der(0x0c, Buffer.from(text)))));
const utcTime = (at: Date) =>
  der(0x17, Buffer.from(`${at.toISOString().replace(/[-:T]/g, "").slice(2, 14)}Z`));

const dayMs = 86_400_000;

interface Names {
  readonly subject: string;
  readonly issuer: string;
}

/** With a key of its own, signed by `by`, or by itself; valid from yesterday on for so many days from now. */
function made(
  { subject, issuer }: Names,
  { address, isAuthority, days, by }: { address: boolean; isAuthority: boolean; days: number; by?: string },
): TestCertificate {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
  const names = [der(0x82, Buffer.from(subject)), ...(address ? [der(0x87, [127, 0, 0, 1])] : [])];
  const extensions = sequence(
    sequence(oid(0x55, 0x1d, 0x11), der(0x04, sequence(...names))),
    sequence(oid(0x55, 0x1d, 0x13), der(0x04, sequence(...(isAuthority ? [der(0x01, [0xff])] : [])))),
  );
  const body = sequence(
    der(0xa0, der(0x02, [2])),
    der(0x02, [1], randomBytes(8)),
    algorithm,
    commonName(issuer),
    sequence(utcTime(new Date(Date.now() - dayMs)), utcTime(new Date(Date.now() + days * dayMs))),
    commonName(subject),
    pair.publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, extensions),
  );
  const key = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const signature = sign("sha256", body, createPrivateKey(by ?? key));
  const whole = sequence(body, algorithm, der(0x03, [0], signature)).toString("base64");
  const lines = whole.match(/.{1,64}/g)?.join("\n");
  return { certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`, key };
}

/** Signs itself for a day; valid for the DNS name and for 127.0.0.1 where `address` is set. */
export function selfSigned(name: string, { address = true } = {}): TestCertificate {
  return made({ subject: name, issuer: name }, { address, isAuthority: true, days: 1 });
}

/** A leaf, what signed it, and the root above that, each until so many days from now. The leaf is valid for its DNS name and 127.0.0.1. */
export function chained(
  names: { readonly leaf: string; readonly intermediate: string; readonly root: string },
  days: { readonly leaf: number; readonly intermediate: number; readonly root: number },
): {
  readonly leaf: TestCertificate;
  readonly intermediate: TestCertificate;
  readonly root: TestCertificate;
} {
  const authority = { address: false, isAuthority: true };
  const root = made({ subject: names.root, issuer: names.root }, { ...authority, days: days.root });
  const intermediate = made(
    { subject: names.intermediate, issuer: names.root },
    { ...authority, days: days.intermediate, by: root.key },
  );
  const leaf = made(
    { subject: names.leaf, issuer: names.intermediate },
    { address: true, isAuthority: false, days: days.leaf, by: intermediate.key },
  );
  return { leaf, intermediate, root };
}
