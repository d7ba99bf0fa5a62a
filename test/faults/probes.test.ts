/** A probe believes what a service says of itself: only silence is asked about once more. */
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { probe } from "./oracle/probes.js";

/** A service that does to its requests, one after the other, what it is told; how many it had. */
async function service(...does: readonly RequestListener[]) {
  let requests = 0;
  const server: Server = createServer((request, response) => does[requests++]?.(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return {
    probed: await probe({ name: "checkout", attestUrl: `http://127.0.0.1:${port}/rekey/attest` }),
    requests: () => requests,
  };
}

const works: RequestListener = (_, response) =>
  void response.writeHead(200).end('{"ok":true,"login":"orders_a"}');
const fails: RequestListener = (_, response) =>
  void response.writeHead(503).end('{"ok":false,"code":"error"}');
const isSilent: RequestListener = (request) => void request.socket.destroy();

test("I1: a service that could not work is not asked again until it could", async () => {
  const { probed, requests } = await service(fails, works);
  expect(probed).toMatchObject({ account: null, answered: true, why: expect.stringContaining("error") });
  expect(requests()).toBe(1);
});

test("I1: silence is asked about once more, and counts the second time", async () => {
  expect((await service(isSilent, works)).probed).toMatchObject({ account: "orders_a" });
  const { probed, requests } = await service(isSilent, isSilent, works);
  expect(probed).toMatchObject({ account: null, answered: false });
  expect(requests()).toBe(2);
});
