/** Documents of Vault as those name them who read it for a cluster: whichever way that is, it is one place, and a mount that the settings do not say is told. */
import { expect, it } from "vitest";
import { kubernetesManifests } from "../../../adapters/sources/kubernetes-manifests.js";
import { edgeText } from "../source.js";
import { saidOf } from "./folder-world.js";

const at = (path: string) => `location(kubernetes prod ${path})`;
const place = (path: string, store = "main") => `place(${store} ${path})`;
const main = (as: string, more: object = {}) => ({ as, store: "main", prefix: "secret/data/", ...more });
const vault = "ClusterSecretStore/vault";

async function said(text: string, stores: readonly object[]) {
  const { claims, gaps } = await saidOf(
    kubernetesManifests,
    { "all.yaml": text },
    { cluster: "prod", stores },
  );
  const edges = claims.filter(({ type }) => type !== "stored-in").map(edgeText);
  return { edges, gaps: [...new Set(gaps)] };
}

const external = (key: string) => `
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: { name: orders, namespace: shop }
spec:
  secretStoreRef: { kind: ClusterSecretStore, name: vault }
  data: [ { secretKey: password, remoteRef: { key: "${key}" } } ]
---
`;
const store = (more: string) =>
  `apiVersion: external-secrets.io/v1\nkind: ClusterSecretStore\nmetadata: { name: vault }\nspec: { provider: { vault: { server: "https://vault.example", ${more} } } }\n---\n`;
/** What fills the Secret, and what was not known. */
async function filled(key: string, stores: readonly object[], before = "") {
  const { edges, gaps } = await said(before + external(key), stores);
  return { from: edges.map((edge) => edge.replace(`${at("shop/orders")} depends-on `, "")), gaps };
}
const from = (...places: readonly string[]) => ({ from: places.map((one) => `${one} declared`), gaps: [] });

it.each([
  // The store says the mount: it may stand before the key, with and without `data`, or not at all.
  ["path: secret", ["orders/db", "secret/orders/db", "secret/data/orders/db", "/orders/db"]],
  ["path: secret/, version: v2", ["orders/db", "secret/orders/db"]],
  // It says none: the key's first part is the mount.
  ["version: v2", ["secret/orders/db", "secret/data/orders/db", "/secret/data//orders/db"]],
])("C7: takes keys for the document that External Secrets takes them for: %s", async (says, keys) => {
  for (const prefix of ["secret/data/", "secret/", "secret"])
    for (const key of keys)
      expect(await filled(key, [main(vault, { prefix })], store(says))).toEqual(from(place("orders/db")));
});

it("C7: takes a key for a document below `data` only where External Secrets does", async () => {
  const stores = [main(vault)];
  expect(await filled("data/orders/db", stores, store("path: secret"))).toEqual(
    from(place("data/orders/db")),
  );
  expect(await filled("secret/data/orders", [main(vault)], store("path: secret, version: v1"))).toEqual(
    from(place("data/orders")),
  );
  // Without a prefix the paths are those of the mount, whichever it is.
  for (const key of ["orders/db", "secret/data/orders/db"])
    expect(await filled(key, [main(vault, { prefix: "" })], store("path: secret"))).toEqual(
      from(place("orders/db")),
    );
  expect(await filled("secret/orders", [main(vault, { prefix: "secret/" })], store("version: v1"))).toEqual(
    from(place("orders")),
  );
});

it("C7: takes both usual forms of a key for one document where the store was not seen", async () => {
  for (const key of ["secret/data/orders/db", "secret/orders/db", "/secret/data/orders/db"])
    expect(await filled(key, [main(vault)])).toEqual(from(place("orders/db")));
  // Behind a mount that may have versions or not, it may be either.
  expect(await filled("secret/data/orders/db", [main(vault, { prefix: "secret/" })])).toEqual(
    from(place("orders/db"), place("data/orders/db")),
  );
  const aws = [{ as: vault, store: "aws", field: "name", prefix: "prod/" }];
  expect(await filled("prod/data/db", aws)).toEqual(from(place("data/db", "aws")));
});

it("H21: says that it guessed, where a key begins with no prefix and the store was not seen", async () => {
  const sentence = (key: string) =>
    `${key} of ${vault} of prod begins with no \`prefix\` that \`stores\` has for it, so which place that is was guessed: give it an entry, without a prefix where keys stand without their mount.`;
  expect(await filled("orders/db", [main(vault)])).toEqual({
    from: [`${place("orders/db")} declared`],
    gaps: [sentence("orders/db")],
  });
  expect((await filled("/orders/db", [main(vault)])).from).toEqual([`${place("orders/db")} declared`]);
  expect(await filled("orders/db", [main(vault), { as: vault, store: "main" }])).toEqual(
    from(place("orders/db")),
  );
});

it("C7: finds the mount of several by the longest prefix, and says of which nobody knows the store", async () => {
  const stores = [
    main(vault, { prefix: "" }),
    main(vault),
    { as: vault, store: "payments", prefix: "pay/data/" },
    { as: vault, prefix: "foreign/data/" },
  ];
  const known = store("version: v2");
  expect(await filled("pay/card", stores, known)).toEqual(from(place("card", "payments")));
  expect(await filled("foreign/card", stores, known)).toEqual(from(at(`${vault} foreign/card`)));
  const [, ...named] = stores;
  expect(await filled("kv/data/card", named, known)).toEqual({
    from: [`${at(`${vault} kv/data/card`)} declared`],
    gaps: [
      `Which store of the estate has what ${vault} of prod reads of the mount kv is not known: give that mount an entry in \`stores\`.`,
    ],
  });
  // A mount with a slash in its name.
  const deep = [main(vault, { prefix: "teams/shop/data/" })];
  expect(await filled("teams/shop/orders/db", deep, known)).toEqual(from(place("orders/db")));
  expect(await filled("teams/shop/data/orders/db", deep, known)).toEqual(from(place("orders/db")));
});

it("C7: keeps the store of a namespace apart from the cluster's, and reads no other provider's as Vault's", async () => {
  const text = `apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: { name: vault, namespace: shop }
spec: { provider: { vault: { path: pay } } }
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: { name: orders, namespace: shop }
spec: { secretStoreRef: { name: vault }, data: [ { secretKey: p, remoteRef: { key: card } } ] }
---
${store("path: secret").replace("vault: {", "fake: {")}${external("secret/orders")}`;
  const { edges, gaps } = await said(text, [
    main("SecretStore/shop/vault", { prefix: "pay/data/" }),
    main(vault, { prefix: "" }),
  ]);
  expect(edges).toEqual([
    `${at("shop/orders")} depends-on ${place("card")} declared`,
    `${at("shop/orders")} depends-on ${place("secret/orders")} declared`,
  ]);
  expect(gaps).toEqual([]);
});

it("C7: takes what the driver's provider for Vault fetches for the same document, with `data` and without", async () => {
  const text = (path: string, provider = "vault") =>
    `apiVersion: secrets-store.csi.x-k8s.io/v1\nkind: SecretProviderClass\nmetadata: { name: p, namespace: shop }\nspec: { provider: ${provider}, parameters: { objects: "- { objectName: a, secretPath: ${path} }" } }\n`;
  const as = "SecretProviderClass/shop/p";
  for (const path of ["secret/data/orders/db", "secret/orders/db", "/secret/data/orders/db"])
    expect(await said(text(path), [main(as)])).toEqual({
      edges: [`${at("shop/SecretProviderClass/p")} depends-on ${place("orders/db")} declared`],
      gaps: [],
    });
  expect((await said(text("kv/data/a"), [main(as)])).gaps).toEqual([expect.stringContaining("the mount kv")]);
});

const operator = (kind: string, spec: string) =>
  `apiVersion: secrets.hashicorp.com/v1beta1\nkind: ${kind}\nmetadata: { name: o, namespace: shop }\nspec: { ${spec} }\n---\n`;
const destination = "destination: { name: orders-db, create: true }";
const secret = at("shop/orders-db");

it("C7: finds what Vault's own operator fills a Secret from", async () => {
  const as = "VaultSecretsOperator";
  const fills = async (kind: string, spec: string, stores: object[] = [main(as)]) =>
    said(operator(kind, `${spec}, ${destination}`), stores);
  for (const type of ["kv-v2", "kv-v1"])
    expect(await fills("VaultStaticSecret", `type: ${type}, mount: secret, path: /orders/db`)).toEqual({
      edges: [`${secret} depends-on ${place("orders/db")} declared`],
      gaps: [],
    });
  // The mount is known, and what is below it is never its `data`.
  expect((await fills("VaultStaticSecret", "mount: secret, path: data/orders")).edges).toEqual([
    `${secret} depends-on ${place("data/orders")} declared`,
  ]);
  expect(await fills("VaultDynamicSecret", "mount: secret, path: data/orders/db")).toEqual({
    edges: [`${secret} depends-on ${place("orders/db")} declared`],
    gaps: [],
  });
  // What is made for whoever asks is no place of an estate.
  expect(await fills("VaultDynamicSecret", "mount: database, path: creds/orders")).toEqual({
    edges: [`${secret} depends-on ${at(`${as} database/creds/orders`)} declared`],
    gaps: [],
  });
  expect(await fills("VaultPKISecret", "mount: pki, role: web, commonName: shop.example")).toEqual({
    edges: [`${secret} depends-on ${at(`${as} pki/issue/web`)} declared`],
    gaps: [],
  });
  expect((await fills("HCPVaultSecretsApp", "appName: shop")).edges).toEqual([
    `${secret} depends-on ${at("shop/HCPVaultSecretsApp/o")} declared`,
  ]);
  expect(await fills("VaultStaticSecret", "mount: secret, path: orders/db", [])).toEqual({
    edges: [`${secret} depends-on ${at(`${as} secret/orders/db`)} declared`],
    gaps: [expect.stringContaining(`behind ${as} of prod is not known`)],
  });
});

it("C7: tells the operator's logins and Vault's namespaces apart where the settings do", async () => {
  const document = "mount: secret, path: orders/db";
  const stores = [
    main("VaultSecretsOperator"),
    { as: "VaultAuth/shop/own", store: "own", prefix: "secret/data/" },
    { as: "VaultAuth/ops/team", store: "ops", prefix: "secret/data/" },
    { as: "VaultAuth/ops/team", store: "west", prefix: "west/secret/data/" },
  ];
  const placeBy = async (more: string) =>
    (await said(operator("VaultStaticSecret", `${document}, ${more}, ${destination}`), stores)).edges;
  for (const [more, name] of [
    ["vaultAuthRef: default", "main"],
    ["vaultAuthRef: own", "own"],
    ["vaultAuthRef: ops/team", "ops"],
    ["vaultAuthRef: ops/team, namespace: west", "west"],
    // Nobody keeps the namespaces of this one apart: it may be the estate's.
    ["vaultAuthRef: ops/team, namespace: east", "ops"],
  ] as const)
    expect(await placeBy(more)).toEqual([`${secret} depends-on ${place("orders/db", name)} declared`]);
});

it("C7: finds what the operator's driver mounts, and the Secrets that it logs in by", async () => {
  const text = `${operator("CSISecrets", "vaultAuthRef: { name: own }, secrets: { vaultStaticSecrets: [ { mount: secret, path: orders/db, type: kv-v2 }, { mount: secret } ] }")}${operator("VaultAuth", "appRole: { roleId: r, secretRef: login }")}
apiVersion: v1
kind: Pod
metadata: { name: api, namespace: shop }
spec: { containers: [ { name: a, image: a } ], volumes: [ { name: v, csi: { driver: csi.vso.hashicorp.com, volumeAttributes: { csiSecretsName: o } } } ] }
`;
  const { edges } = await said(text, [main("VaultAuth/shop/own")]);
  expect(edges).toEqual([
    `${at("shop/CSISecrets/o")} depends-on ${place("orders/db")} declared`,
    `reader(workload=kubernetes prod shop/VaultAuth/o) uses ${at("shop/login")} declared`,
    `reader(serviceAccount=kubernetes prod shop/default workload=kubernetes prod shop/Pod/api) uses ${at("shop/CSISecrets/o")} declared`,
  ]);
});
