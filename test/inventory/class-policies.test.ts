/** C5: which policy a class has is told anew of every credential that goes by it, in whichever piece of a folder that stands. */
import { expect, it } from "vitest";
import { changesSince, entryNamed } from "../../inventory/estate.js";
import { currentEstate } from "../../inventory/estate-load.js";
import { credential, sound } from "../domain/estate/fixtures.js";
import { migratedDatabase } from "./database.js";
import { appliedFrom, emptyFolder, type Raw, writeFolder } from "./folder-world.js";
import { t0 } from "./world.js";

it("C5: another policy for a class reaches every credential that takes it, read or not, and none of the others", async () => {
  const { db } = await migratedDatabase();
  const folder = await emptyFolder();
  const at = (name: string, more: object) =>
    credential({ account: { login: name }, place: { path: `at/${name}` }, ...more });
  const raw = (calm: string[], brisk: string[], purpose = "It is read."): Raw => ({
    ...sound(),
    policies: { calm: { classes: calm }, brisk: { drainTimeout: "3d", classes: brisk } },
    credentials: {
      a: at("a", { policy: undefined, class: "token" }),
      b: at("b", { policy: undefined, class: "token", purpose }),
      c: at("c", { policy: "calm", class: "token" }),
      d: at("d", { policy: undefined }),
    },
  });
  await writeFolder(folder, raw(["token", "service-account"], []));
  expect(await appliedFrom(folder, db, t0)).toMatchObject({ ok: true });
  const policies = async () =>
    Object.entries((await currentEstate(db))?.estate.credentials ?? {}).map(
      ([name, { policy, policyBy }]) => [...[name, policy, policyBy]],
    );
  expect(await policies()).toEqual([
    ["a", "calm", "class"],
    ["b", "calm", "class"],
    ["c", "calm", undefined],
    ["d", "calm", "class"],
  ]);
  await writeFolder(folder, raw(["service-account"], ["token"], "It is written."));
  const result = await appliedFrom(folder, db, t0 + 1_000);
  // The two pieces with policies, and the line that has changed.
  expect(result).toMatchObject({ ok: true, read: 3 });
  expect(result.ok && result.diff.sections.credentials).toEqual({
    created: [],
    changed: [
      { name: "a", fields: ["policy"] },
      { name: "b", fields: ["policy", "purpose"] },
    ],
    ended: [],
  });
  expect(await policies()).toEqual([
    ["a", "brisk", "class"],
    ["b", "brisk", "class"],
    ["c", "calm", undefined],
    ["d", "calm", "class"],
  ]);
  const changed = async (name: string) =>
    changesSince(db, (await entryNamed(db, "credentials", name)).id, t0 + 1);
  for (const name of ["a", "b"])
    expect(await changed(name)).toMatchObject([{ what: "policy", previously: "calm", by: "ann" }]);
  for (const name of ["c", "d"]) expect(await changed(name)).toEqual([]);
  expect(await appliedFrom(folder, db, t0 + 2_000)).toMatchObject({ diff: { empty: true }, read: 0 });
  // Nobody takes the class any more: that is said of credentials that nobody has touched.
  await writeFolder(folder, raw(["service-account"], [], "It is written."));
  const left = await appliedFrom(folder, db, t0 + 3_000);
  expect(left.ok ? [] : left.problems.map(({ where, message }) => `${where}: ${message}`).sort()).toEqual([
    'credentials › a › policy: "policy" is missing, and no policy takes the class "token"',
    'credentials › b › policy: "policy" is missing, and no policy takes the class "token"',
  ]);
});
