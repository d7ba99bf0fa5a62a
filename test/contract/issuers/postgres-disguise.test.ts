/** A client chooses its own application name: calling itself Rekey must not make a reader invisible (H21, I2). */
import { Socket } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startPostgres } from "../../../worker/dev/postgres.js";
import { type PostgresWorld, worldOn } from "./postgres-world.js";
import { call, changeOf, passwordOf, tag } from "./world.js";

let world: PostgresWorld;

beforeAll(async () => {
  world = await worldOn(await startPostgres({ hba: ["host all all 127.0.0.9/32 scram-sha-256"] }));
});
afterAll(() => world.stop());

/** Connects from another address of this machine. */
class SocketFrom extends Socket {
  readonly #localAddress: string;

  constructor(localAddress: string) {
    super();
    this.#localAddress = localAddress;
  }

  override connect(...to: unknown[]): this {
    const [port, host] = to as [number, string];
    return super.connect({ port, host, localAddress: this.#localAddress });
  }
}

it("H21: whoever calls themselves the engine is listed, unless they come from where the engine is", async () => {
  const account = await world.account();
  const [a = ""] = account.logins;
  const issuer = world.issuer(account);
  const document = issuer.generate(a);
  await issuer.enable(changeOf(a, null, tag("v1", 1)), document, call());
  const seen = async () =>
    (await issuer.survey(call())).sessions.map(({ application, address }) => `${application} ${address}`);
  const disguise = { application_name: "rekey/probe/engine" };

  const ours = await world.login(a, passwordOf(document), disguise);
  expect(await seen()).toEqual([]);
  const theirs = await world.login(a, passwordOf(document), {
    ...disguise,
    stream: () => new SocketFrom("127.0.0.9"),
  });
  expect(await seen()).toEqual(["rekey/probe/engine 127.0.0.9"]);

  await Promise.all([ours.end(), theirs.end(), issuer.close()]);
});
