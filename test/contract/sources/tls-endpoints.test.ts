/** The contract of the sources with real TLS servers: what they serve, and not what they should. */
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer as createPlain, type Server } from "node:net";
import { createServer, type Server as TlsServer } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { tlsEndpoints } from "../../../adapters/sources/tls-endpoints.js";
import { testMark } from "../../support/mark.js";
import { chained, selfSigned, type TestCertificate } from "../issuers/certificate.js";
import { copyText, leaked, leakedAddress, oddName, scanned, sourceContract } from "../source.js";
import { call, depsOf } from "../stores/world.js";

const first = selfSigned("orders.example.com");
const second = selfSigned("renewed.example.com");

const open: Server[] = [];

async function listening<S extends Server>(server: S): Promise<{ server: S; port: number }> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push(server);
  return { server, port: (server.address() as AddressInfo).port };
}

const serve = ({ certificate, key }: TestCertificate) => {
  const server: TlsServer = createServer({ cert: certificate, key }, (socket) => socket.end());
  server.on("tlsClientError", () => undefined);
  return listening(server);
};

async function closeAll(): Promise<void> {
  for (const server of open.splice(0)) {
    server.close();
    await once(server, "close");
  }
}

function sourceOf(...ports: number[]) {
  const endpoints = ports.map((port) => ({ host: "127.0.0.1", port }));
  return tlsEndpoints.create(tlsEndpoints.config.parse({ endpoints }), depsOf());
}

const printOf = ({ certificate }: TestCertificate) =>
  new X509Certificate(certificate).fingerprint256.replaceAll(":", "").toLowerCase();
const at = (port: number, of: TestCertificate) =>
  `location(tls 127.0.0.1:${port}) has ${testMark(printOf(of))}`;
const bodyOf = ({ key }: TestCertificate) => key.split("\n").slice(1, -2).join("");

sourceContract("tls-endpoints", async () => {
  const { server, port } = await serve(first);
  const put = ({ certificate, key }: TestCertificate) => server.setSecureContext({ cert: certificate, key });
  const ports = [port];
  return {
    shows: "now",
    copies: true,
    open: () => sourceOf(...ports),
    openUnreachable: () => sourceOf(1),
    shown: [at(port, first)],
    whole: true,
    plant: async () => {
      put(second);
      return at(port, second);
    },
    unplant: async () => put(first),
    // Something else answers there, and breaks off in the middle of it.
    spoil: async () => {
      const plain = await listening(
        createPlain((socket) =>
          socket
            .on("error", () => undefined)
            .resume()
            .end(`220 smtp ${leaked} \0`),
        ),
      );
      const behind = await serve(second);
      ports.unshift(plain.port);
      ports.push(behind.port);
      return at(behind.port, second);
    },
    odd: async () => {
      const strange = await serve(selfSigned(oddName));
      const behind = await serve(second);
      ports.push(strange.port, behind.port);
      return at(behind.port, second);
    },
    leak: async () => {
      ports.push((await serve(selfSigned(leakedAddress))).port);
    },
    // More than are asked at once.
    large: async () => {
      const more = await Promise.all(Array.from({ length: 11 }, () => serve(first)));
      ports.push(...more.map((one) => one.port));
      const last = more.at(-1);
      return {
        edges: more.length,
        late: async () => {
          last?.server.setSecureContext({ cert: second.certificate, key: second.key });
          return at(last?.port ?? 0, second);
        },
      };
    },
    values: [bodyOf(first), bodyOf(second)],
    close: closeAll,
  };
});

describe("a certificate", () => {
  afterEach(closeAll);
  const said = async (...ports: number[]) => {
    const parts = await scanned(sourceOf(...ports));
    return {
      copies: parts.flatMap(({ copies }) => copies),
      gaps: parts.flatMap(({ gaps }) => gaps),
      hidden: parts.flatMap(({ hidden }) => hidden?.map(({ record }) => record) ?? ["anything"]),
      listed: parts.flatMap(({ listed }) => listed),
    };
  };

  it("that is served at three places is one, and is said with its end", async () => {
    const ports = [];
    for (let each = 0; each < 3; each++) ports.push((await serve(first)).port);
    const { copies, listed, gaps } = await said(...ports);
    expect(copies.map(copyText)).toEqual(ports.map((port) => at(port, first)));
    expect(gaps).toEqual([]);
    const expiresAt = Date.parse(new X509Certificate(first.certificate).validTo);
    expect(listed.map(({ thing }) => thing)).toEqual(
      ports.map((port) => ({
        ...{ is: "location", scope: "tls", path: `127.0.0.1:${port}`, class: "certificate" },
        expiresAt,
      })),
    );
    expect(copies[0]?.sentence).toMatch(
      /serves the certificate [0-9a-f]{16} of orders\.example\.com, issued by orders\.example\.com, until \d{4}-\d\d-\d\d; a client would not trust it \((DEPTH_ZERO_)?SELF_SIGNED/,
    );
  });

  it("is asked for by name where the settings say so", async () => {
    const server: TlsServer = createServer({ cert: first.certificate, key: first.key });
    server.addContext("renewed.example.com", { cert: second.certificate, key: second.key });
    const { port } = await listening(server);
    const endpoints = [
      { host: "127.0.0.1", port },
      { host: "127.0.0.1", port, serverName: "renewed.example.com" },
    ];
    const parts = await scanned(tlsEndpoints.create(tlsEndpoints.config.parse({ endpoints }), depsOf()));
    expect(parts.flatMap(({ copies }) => copies.map(copyText))).toEqual([
      at(port, first),
      `location(tls 127.0.0.1:${port} as renewed.example.com) has ${testMark(printOf(second))}`,
    ]);
  });

  it("is not at an endpoint that speaks something else or is away, which is a gap beside the others", async () => {
    const plain = await listening(createPlain((socket) => socket.resume().end("no TLS here\r\n")));
    const { port } = await serve(first);
    const { copies, gaps, hidden } = await said(plain.port, port, 1);
    expect(hidden).toEqual([plain.port, 1].map((away) => `certificate of 127.0.0.1:${away}`));
    expect(copies.map(copyText)).toEqual([at(port, first)]);
    expect(gaps).toEqual([
      expect.stringMatching(
        new RegExp(`^127\\.0\\.0\\.1:${plain.port} was not seen: .* does not speak TLS, or not with us`),
      ),
      expect.stringMatching(/^127\.0\.0\.1:1 was not seen: /),
    ]);
    expect(await sourceOf(plain.port, port).preflight(call())).toEqual([
      expect.objectContaining({ code: "unreachable", subject: `127.0.0.1:${plain.port}` }),
    ]);
  });

  it("is waited for no longer than the settings say", async () => {
    const silent = await listening(createPlain((socket) => void socket.resume()));
    const endpoints = [{ host: "127.0.0.1", port: silent.port }];
    const source = tlsEndpoints.create(tlsEndpoints.config.parse({ endpoints, timeout: "50ms" }), depsOf());
    await expect(scanned(source)).rejects.toMatchObject({ code: "unreachable" });
  });

  const names = { leaf: "orders.example.com", intermediate: "Shop Issuing CA", root: "Shop Root" };
  const endOf = ({ certificate }: TestCertificate) => Date.parse(new X509Certificate(certificate).validTo);
  const dayOf = (of: TestCertificate) => new Date(endOf(of)).toISOString().slice(0, 10);
  const serveChain = (leaf: TestCertificate, ...above: TestCertificate[]) =>
    serve({ key: leaf.key, certificate: [leaf, ...above].map(({ certificate }) => certificate).join("") });

  it("ends with the one above it in its chain that ends first, and says which one that is", async () => {
    const { leaf, intermediate, root } = chained(names, { leaf: 9, intermediate: 5, root: 20 });
    for (const above of [[intermediate], [intermediate, root]]) {
      const { port } = await serveChain(leaf, ...above);
      const { copies, listed, gaps } = await said(port);
      expect(copies.map(copyText)).toEqual([at(port, leaf)]);
      expect([gaps, listed.map(({ thing }) => thing)]).toEqual([
        [],
        [expect.objectContaining({ path: `127.0.0.1:${port}`, expiresAt: endOf(intermediate) })],
      ]);
      const until = `of orders.example.com, issued by Shop Issuing CA, until ${dayOf(leaf)}`;
      const before = `Shop Issuing CA in its chain ends before it, on ${dayOf(intermediate)}`;
      expect(copies[0]?.sentence).toContain(`${until}; ${before}; a client would not trust it`);
    }
  });

  it("ends with its root where that ends first, and with itself where all above it last longer or are not served", async () => {
    const early = chained(names, { leaf: 9, intermediate: 5, root: 2 });
    const whole = await serveChain(early.leaf, early.intermediate, early.root);
    const late = chained(names, { leaf: 5, intermediate: 9, root: 20 });
    const sound = await serveChain(late.leaf, late.intermediate, late.root);
    const alone = await serveChain(early.leaf);
    const { copies, listed } = await said(whole.port, sound.port, alone.port);
    expect(listed.map(({ thing }) => thing.is === "location" && thing.expiresAt)).toEqual(
      [early.root, late.leaf, early.leaf].map(endOf),
    );
    expect(
      copies.map(({ sentence }) => /; (.*) in its chain ends before it, on (\S+);/.exec(sentence)?.slice(1)),
    ).toEqual([["Shop Root", dayOf(early.root)], undefined, undefined]);
  });

  it("of an endpoint that is written down twice is refused by the settings", () => {
    const endpoint = { host: "127.0.0.1", port: 443 };
    expect(tlsEndpoints.config.safeParse({ endpoints: [endpoint, endpoint] }).success).toBe(false);
  });
});
