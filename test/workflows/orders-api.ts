/** A service as it should be: it takes up what it is given, and connects with that before it leaves the connection that it has. */
import { setTimeout as pause } from "node:timers/promises";
import type pg from "pg";
import { onTestFinished } from "vitest";
import { clientOf, database } from "../contract/issuers/postgres-world.js";

/** A login as its store gives it out. */
interface Given {
  readonly username: string;
  readonly password: string;
}

/** Works as `orders-api` until the test has finished, with whatever it is `given` at the moment. */
export function ordersApi(
  given: () => Promise<Given>,
  server: { readonly host: string; readonly port: number },
): void {
  let held = "";
  let client: pg.Client | null = null;
  let open = true;
  const work = async () => {
    while (open) {
      const { username, password } = await given();
      const login = JSON.stringify([username, password]);
      if (login !== held) {
        const next = await clientOf({
          ...{ ...server, database, user: username, password, application_name: "orders-api" },
        });
        await client?.end();
        [held, client] = [login, next];
      }
      await client?.query("select 1");
      await pause(50);
    }
    await client?.end();
  };
  const working = work();
  onTestFinished(async () => {
    open = false;
    await working;
  });
}
