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

/** Signs itself for a day; valid for the DNS name and for 127.0.0.1 where `address` is set. */
export function selfSigned(name: string, { address = true } = {}): TestCertificate {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
  const day = 86_400_000;
  const names = [der(0x82, Buffer.from(name)), ...(address ? [der(0x87, [127, 0, 0, 1])] : [])];
  const extensions = sequence(
    sequence(oid(0x55, 0x1d, 0x11), der(0x04, sequence(...names))),
    sequence(oid(0x55, 0x1d, 0x13), der(0x04, sequence(der(0x01, [0xff])))),
  );
  const body = sequence(
    der(0xa0, der(0x02, [2])),
    der(0x02, [1], randomBytes(8)),
    algorithm,
    commonName(name),
    sequence(utcTime(new Date(Date.now() - day)), utcTime(new Date(Date.now() + day))),
    commonName(name),
    pair.publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, extensions),
  );
  const key = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const signature = sign("sha256", body, createPrivateKey(key));
  const whole = sequence(body, algorithm, der(0x03, [0], signature)).toString("base64");
  const lines = whole.match(/.{1,64}/g)?.join("\n");
  return { certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`, key };
}
