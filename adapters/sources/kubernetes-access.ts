/**
 * How the API of a cluster is reached, and as whom: by a kubeconfig, from inside the cluster, or by an address. Read anew for each
 * question, because the tokens of service accounts last an hour and files are replaced under the engine.
 */
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import { secretRef } from "../../domain/estate/secret-ref.js";
import { Secret } from "../../domain/secret.js";
import type { AdapterDeps, Call } from "../ports.js";
import { type TlsMaterial, tlsMaterial, tlsSchema } from "../shared/http.js";
import { yamlDocuments } from "../shared/source-config.js";

const absolutePath = () => z.string().regex(/^\/[^\0]*$/, { error: "expected an absolute path" });

const kubeconfigSchema = z.strictObject({
  method: z.literal("kubeconfig").describe("By a file as kubectl reads it."),
  file: absolutePath().describe("The file; the engine's user reads it."),
  context: z.string().min(1).optional().describe("The context in it; the current one unless given."),
});

const inClusterSchema = z.strictObject({
  method: z.literal("in-cluster").describe("As the service account of the pod that the engine runs in."),
  folder: absolutePath()
    .default("/var/run/secrets/kubernetes.io/serviceaccount")
    .describe("Where its token and the authority's certificate are mounted."),
});

const serverSchema = z
  .strictObject({
    method: z.literal("server").describe("By its address."),
    url: z
      .url({ protocol: /^https$/, error: "expected an https URL" })
      .describe("Base URL of the API, such as https://10.0.0.1:6443."),
    tls: tlsSchema().optional().describe("How its certificate is checked, and a client certificate of ours."),
    token: secretRef()
      .optional()
      .describe("Reference to a bearer token; left out with a client certificate."),
  })
  .refine(({ token, tls }) => token !== undefined || (tls?.certFile !== undefined && tls.key !== undefined), {
    error: "expected a token, or a client certificate with its key",
  });

/** The setting `connect`. */
export const accessSchema = z.discriminatedUnion("method", [kubeconfigSchema, inClusterSchema, serverSchema]);

/** Settings of `accessSchema` as they come out of it. */
export type AccessSettings = z.output<typeof accessSchema>;

/** Where to ask, and with what. */
export interface Access {
  /** Ends with a slash. */
  readonly url: string;
  readonly tls: TlsMaterial;
  readonly token: Secret | null;
}

/** Reads how to ask now. Throws `missing-setup` where a file does not have what it should, `unsupported` for what is not done here. */
export async function accessOf(
  settings: AccessSettings,
  deps: AdapterDeps,
  env: NodeJS.ProcessEnv,
  call: Call,
): Promise<Access> {
  switch (settings.method) {
    case "kubeconfig":
      return byKubeconfig(settings.file, settings.context);
    case "in-cluster":
      return fromInside(settings.folder, env);
    case "server": {
      const { url, tls, token } = settings;
      const [material, secret] = await Promise.all([
        tlsMaterial(tls, deps, call),
        token === undefined ? null : deps.resolve(token, call),
      ]);
      return { url: withSlash(url), tls: material, token: secret };
    }
  }
}

async function fromInside(folder: string, env: NodeJS.ProcessEnv): Promise<Access> {
  const { KUBERNETES_SERVICE_HOST: host = "", KUBERNETES_SERVICE_PORT: port = "443" } = env;
  if (host === "")
    throw new RekeyError(
      "missing-setup",
      "The engine does not run in a pod: KUBERNETES_SERVICE_HOST is not set.",
      "Use the method kubeconfig or server.",
    );
  const [token, ca] = await Promise.all([textOf(join(folder, "token")), textOf(join(folder, "ca.crt"))]);
  const name = host.includes(":") ? `[${host}]` : host;
  return { url: `https://${name}:${port}/`, tls: { ca }, token: new Secret(token.trim()) };
}

const entries = <S extends z.ZodType>(schema: S) =>
  z.array(z.object({ name: z.string() }).and(schema)).default([]);
/** What is read of a kubeconfig; every scalar is text. */
const kubeconfig = z.object({
  "current-context": z.string().optional(),
  contexts: entries(z.object({ context: z.object({ cluster: z.string(), user: z.string() }) })),
  clusters: entries(
    z.object({
      cluster: z.object({
        server: z.string(),
        "certificate-authority": z.string().optional(),
        "certificate-authority-data": z.string().optional(),
        "tls-server-name": z.string().optional(),
        "insecure-skip-tls-verify": z.string().optional(),
        "proxy-url": z.string().optional(),
      }),
    }),
  ),
  users: entries(
    z.object({
      user: z
        .looseObject({
          token: z.string().optional(),
          tokenFile: z.string().optional(),
          "client-certificate": z.string().optional(),
          "client-certificate-data": z.string().optional(),
          "client-key": z.string().optional(),
          "client-key-data": z.string().optional(),
        })
        .nullish(),
    }),
  ),
});

/** Ways to be somebody that kubectl has and this source has not. */
const otherWays = [
  "exec",
  "auth-provider",
  "username",
  "password",
  "as",
  "as-uid",
  "as-groups",
  "as-user-extra",
];

async function byKubeconfig(file: string, wanted: string | undefined): Promise<Access> {
  const [document] = yamlDocuments(await textOf(file));
  const parsed = kubeconfig.safeParse(document !== undefined && "value" in document ? document.value : null);
  if (!parsed.success) throw new RekeyError("missing-setup", `${file} is no kubeconfig.`);
  const { data } = parsed;
  const name = wanted ?? data["current-context"] ?? "";
  const context = data.contexts.find((one) => one.name === name)?.context;
  const cluster = data.clusters.find((one) => one.name === context?.cluster)?.cluster;
  const entry = data.users.find((one) => one.name === context?.user);
  if (context === undefined || cluster === undefined || entry === undefined)
    throw new RekeyError(
      "missing-setup",
      `${file} has no whole context ${name === "" ? "that is the current one" : name}.`,
    );
  const user = entry.user ?? {};
  const other = otherWays.find((way) => user[way] !== undefined);
  const unsupported = (what: string) =>
    new RekeyError(
      "unsupported",
      `The context ${name} of ${file} ${what}, which is not done here.`,
      "Give a service account of its own a token, and use the method server or a kubeconfig with the token in it.",
    );
  if (other !== undefined) throw unsupported(`logs in by \`${other}\``);
  if (cluster["insecure-skip-tls-verify"] === "true")
    throw unsupported("does not check the server's certificate");
  if (cluster["proxy-url"] !== undefined) throw unsupported("goes through a proxy");
  if (!/^https:\/\/[^/]/.test(cluster.server)) throw unsupported("has no https address");
  const beside = (path: string) => resolve(dirname(file), path);
  const pem = async (data: string | undefined, path: string | undefined): Promise<string | undefined> =>
    data !== undefined
      ? Buffer.from(data, "base64").toString("utf8")
      : path === undefined
        ? undefined
        : await textOf(beside(path));
  const ca = await pem(cluster["certificate-authority-data"], cluster["certificate-authority"]);
  const cert = await pem(user["client-certificate-data"], user["client-certificate"]);
  const key = await pem(user["client-key-data"], user["client-key"]);
  // As in kubectl, the file goes before the text.
  const token = user.tokenFile === undefined ? user.token : (await textOf(beside(user.tokenFile))).trim();
  const servername = cluster["tls-server-name"];
  return {
    url: withSlash(cluster.server),
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(servername === undefined ? {} : { servername }),
    },
    token: token === undefined ? null : new Secret(token),
  };
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    throw new RekeyError("missing-setup", `The file ${path} could not be read.`);
  }
}

function withSlash(url: string): string {
  return url.endsWith("/") ? url : `${url}/`;
}
