/** A whole rotation of an access key of AWS that is kept in Secrets Manager, with two services that sign with it all the while. */
import { CreateAccessKeyCommand } from "@aws-sdk/client-iam";
import { expect, onTestFinished, test } from "vitest";
import type { Systems } from "../../activities/deps.js";
import { read } from "../../inventory/database.js";
import { listRotations, loadWithin } from "../../inventory/rotations.js";
import { iamWorld } from "../contract/issuers/aws-iam-world.js";
import { secretsManagerWorld } from "../contract/stores/aws-secrets-manager-world.js";
import { AwsShop } from "./aws-shop.js";
import { openHouse } from "./house.js";
import { ended } from "./watch.js";

test("H11 H27: an access key of AWS is rotated under load, no request fails, and the old one is refused, deleted and forgotten", async () => {
  const [iam, secrets] = await Promise.all([iamWorld(), secretsManagerWorld()]);
  onTestFinished(async () => {
    await Promise.all([iam.dispose(), secrets.dispose()]);
  });
  const shops = new Map<string, AwsShop>();
  let refit = (systems: Systems): Systems => systems;
  const house = await openHouse({
    consumers: ["checkout", "reports"],
    firstSlot: "a",
    // Patient in everything: nothing here is about time.
    policy: {
      adoptionTimeoutMs: 120_000,
      drainTimeoutMs: 120_000,
      stallTimeoutMs: 60_000,
      quietPeriodMs: 200,
    },
    refit: (systems) => refit(systems),
  });
  const { installation } = house;
  const issuer = iam.openWith({ propagation: "300ms" }, { derivedLife: "0s" }, installation);
  const store = secrets.open({ installation });
  onTestFinished(() => issuer.close());
  refit = (systems) => ({
    ...systems,
    issuer,
    stores: { main: store },
    consumers: systems.consumers.map((consumer) => ({
      ...consumer,
      observe: [shops.get(consumer.name) ?? consumer.observe[0]].filter((way) => way !== undefined),
    })),
  });

  // As it is before Rekey: a key that somebody made, in the store.
  const { AccessKey } = await iam.admin.send(new CreateAccessKeyCommand({ UserName: iam.user }));
  const old = { username: AccessKey?.AccessKeyId ?? "", password: AccessKey?.SecretAccessKey ?? "" };
  await secrets.foreignWrite({ ...old, rekey_version: house.world.first.version, bucket: "invoices" });
  const live = async () => (await secrets.raw()) as Record<string, string>;
  for (const name of ["checkout", "reports"]) shops.set(name, new AwsShop(name, iam, live));
  onTestFinished(async () => {
    await Promise.all([...shops.values()].map((shop) => shop.stop()));
  });

  const result = await ended(await house.start());
  expect(result).toMatchObject({ outcome: "rotated" });

  const counts = [...shops.values()].map(({ served, failed }) => ({ served, failed }));
  process.stdout.write(`    requests: ${JSON.stringify(counts)}\n`);
  for (const { served, failed } of counts) {
    expect(served).toBeGreaterThan(5);
    expect(failed).toBe(0);
  }
  const now = await live();
  expect(now.bucket).toBe("invoices");
  expect(await iam.keys()).toEqual({ [now.username ?? ""]: "Active" });
  expect(now.username).not.toBe(old.username);
  expect(await iam.connect(old.username, old.password)).toBeNull();
  expect(await iam.connect(now.username ?? "", now.password ?? "")).not.toBeNull();
  expect(await secrets.everything()).not.toContain(JSON.stringify(old.password).slice(1, -1));

  const [latest] = await listRotations(house.fresh.db, { credential: house.credential });
  const { events } = await read(house.fresh.db, (tx) => loadWithin(tx, latest?.id ?? ""));
  // After the one right after the switch, two more over the time that AWS's regions need.
  expect(events.filter(({ type }) => type === "refused").length).toBeGreaterThanOrEqual(2);
}, 180_000);
