/** Verifiers of the `jose` package, each a process with its own cache, pass the consumers' contract. */
import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jwksVerifier } from "../../../adapters/consumers/jwks-verifier.js";
import type { ObserveRequest } from "../../../adapters/ports.js";
import { calling, testEngine } from "../../support/engine.js";
import type { Started } from "../../support/programs.js";
import { consumerContract } from "../consumer.js";
import type { Ready } from "../issuers/jwks-server.js";
import { issuerIn, type JwksWorld, jwksWorld } from "../issuers/jwks-world.js";

const request: ObserveRequest = {
  installation: "test",
  credential: "tokens",
  consumer: "gateway",
  rotation: "r1",
  candidates: [
    { version: "v1", slot: "a", publicName: "a.one" },
    { version: "v2", slot: "b", publicName: "b.two" },
    { version: "v3", slot: "b" },
  ],
  confirmations: [],
};
const kids: Readonly<Record<string, string>> = { v1: "a.one", v2: "b.two" };

let world: JwksWorld;
let verifiers: readonly Started<Ready>[] = [];
const cacheMs = 40;

beforeAll(async () => {
  world = await jwksWorld();
  await publish("v1");
  verifiers = await Promise.all([1, 2, 3].map(() => startVerifier(cacheMs)));
});
afterAll(() => world.close());

const startVerifier = (cache: number, more: NodeJS.ProcessEnv = {}) =>
  world.start({
    ROLE: "verifier",
    JWKS_URL: `${world.web.ready.url}/jwks.json`,
    CACHE_MS: String(cache),
    ...more,
  });

/** Puts exactly these versions' keys where verifiers fetch them. */
async function publish(...versions: string[]): Promise<void> {
  const issuer = issuerIn(world);
  const { x, y, kty, crv } = JSON.parse(issuer.generate("a").password?.reveal() ?? "");
  const keys = versions.map((version) => ({ kty, crv, x, y, kid: kids[version], alg: "ES256" }));
  await writeFile(world.file, JSON.stringify({ keys, rekey: { issuer: "tokens", slots: {} } }));
}

async function consumerOf(instances: readonly string[]) {
  const { deps } = await testEngine();
  return jwksVerifier.create(jwksVerifier.config.parse({ instances }), deps);
}

const urls = () => verifiers.map(({ ready }) => ready.url);
/** Longer than a verifier remembers. */
const forgotten = () => new Promise((resolve) => setTimeout(resolve, 2 * cacheMs));

consumerContract("jwks-verifier", async () => {
  let instances = urls();
  const nobody = "http://127.0.0.1:9";
  const first = await consumerOf(instances);
  return {
    consumer: {
      ...first,
      preflight: (call) => first.preflight(call),
      observe: async (asked, call) => (await consumerOf(instances)).observe(asked, call),
      close: () => first.close(),
    },
    request: () => request,
    before: "v1",
    after: "v2",
    count: 3,
    canaries: [],
    move: async (version) => {
      await publish(version);
      await forgotten();
    },
    stay: async () => {
      const slow = await startVerifier(60_000);
      await fetch(`${slow.ready.url}/rekey/keys`);
      instances = [slow.ready.url, ...instances.slice(1)];
      return slow.ready.instance;
    },
    idle: async () => {
      // It cannot fetch any keys, so it verifies nothing.
      const lost = await startVerifier(cacheMs, { JWKS_URL: `${nobody}/jwks.json` });
      instances = [lost.ready.url, ...instances.slice(1)];
      return lost.ready.instance;
    },
    silence: async () => {
      instances = [nobody, ...instances.slice(1)];
      return "127.0.0.1:9";
    },
    close: async () => {},
  };
});

describe("what a verifier knows", () => {
  it("H28: is what it would verify with now, all of it, and not what is published", async () => {
    await publish("v1");
    const slow = await startVerifier(60_000);
    const consumer = await consumerOf([slow.ready.url]);
    expect((await consumer.observe(request, calling()))[0]).toMatchObject({ accepts: ["v1"], version: null });
    await publish("v1", "v2");
    expect((await consumer.observe(request, calling()))[0]).toMatchObject({ accepts: ["v1"] });
    const quick = await consumerOf(urls());
    await forgotten();
    expect((await quick.observe(request, calling()))[0]).toMatchObject({ accepts: ["v1", "v2"] });
    await slow.stop();
  });

  it("H10: one that answers with another's name is not believed", async () => {
    const impostor = await startVerifier(cacheMs, { INSTANCE: "somebody-else" });
    const consumer = await consumerOf([impostor.ready.url]);
    const [seen] = await consumer.observe(request, calling());
    expect(seen).toMatchObject({ accepts: [], working: false });
    expect(seen?.sentence).toContain("was answered for by another instance");
    expect((await consumer.preflight(calling())).map(({ code }) => code)).toEqual(["keys-not-told"]);
    await impostor.stop();
  });

  it("an answer that is none, and an instance listed twice, are named", async () => {
    const consumer = await consumerOf([world.web.ready.url]);
    const [seen] = await consumer.observe(request, calling());
    expect(seen).toMatchObject({ accepts: [], working: false });
    const twice = await consumerOf([urls()[0] ?? "", urls()[0] ?? ""]);
    expect((await twice.preflight(calling())).map(({ code }) => code)).toEqual(["instance-listed-twice"]);
  });
});
