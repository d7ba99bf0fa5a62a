/**
 * Which development programs we use and what their releases must hash to, in one table, because a downloaded
 * program is run on a developer's machine: nothing is run that was not pinned here beforehand.
 *
 * The sums are those that the vendors publish beside each release (`checksums.txt`, `SHA256SUMS`). A platform
 * without a sum is not downloaded for; it is built from source instead. Never add a sum that was computed
 * from a download alone.
 */

/** A program that development and tests need. */
export interface ProgramPin {
  readonly name: string;
  readonly version: string;
  /** The environment variable that names a program to use instead. */
  readonly envName: string;
  /** Names to look for on PATH, best first. */
  readonly onPath: readonly string[];
  /** Environment variable and default of the folder that releases are downloaded from. */
  readonly baseUrl: { readonly envName: string; readonly default: string };
  /** Path below the base URL, for a platform in the vendor's spelling. */
  readonly releasePath: (platform: string) => string;
  readonly archive: "tar.gz" | "zip";
  /** The file to take out of the archive. */
  readonly member: string;
  /** SHA-256 of the release archive by platform. */
  readonly sha256: Readonly<Record<string, string>>;
  /** The folder under `tools/` with a go.mod, and the package in it that is the program. */
  readonly go: { readonly folder: string; readonly package: string };
}

/** Temporal's command line with its development server (MIT). */
export const temporalPin: ProgramPin = {
  name: "temporal",
  version: "1.8.2",
  envName: "REKEY_TEMPORAL_BIN",
  onPath: ["temporal"],
  baseUrl: {
    envName: "REKEY_TEMPORAL_DOWNLOADS",
    default: "https://github.com/temporalio/cli/releases/download",
  },
  releasePath: (platform) => `v1.8.2/temporal_cli_1.8.2_${platform}.tar.gz`,
  archive: "tar.gz",
  member: "temporal",
  sha256: {
    darwin_amd64: "489d7f5420cae02b559774ac23df035141954c33a51dba96f5759a0ddccdf1b6",
    darwin_arm64: "dacdc3587682c04cf27e67c8878ca2d755230b6ad63c0c6ebddd7348ae90ed94",
    linux_amd64: "d8421bda989e6514b4bdb4d63a9012a8a05a806892e881a5aad8510496349a94",
    linux_arm64: "83600a8fac6e3da54093e5da6918d399f501532b9f1172235603f9606f4ac6e4",
  },
  go: { folder: "temporal", package: "github.com/temporalio/cli/cmd/temporal" },
};

/** HashiCorp Vault (BUSL-1.1: development and tests only; OpenBao's `bao` on PATH serves as well). */
export const vaultPin: ProgramPin = {
  name: "vault",
  version: "1.21.0",
  envName: "REKEY_VAULT_BIN",
  onPath: ["vault", "bao"],
  baseUrl: { envName: "REKEY_VAULT_DOWNLOADS", default: "https://releases.hashicorp.com/vault" },
  releasePath: (platform) => `1.21.0/vault_1.21.0_${platform}.zip`,
  archive: "zip",
  member: "vault",
  sha256: {
    darwin_amd64: "2e00e327be8141751f7bcc840aad93c8a5428908a4131f17d02d22eab444bcf2",
    darwin_arm64: "fd1b26fcbc78c04c2d76d35a13a9564d450074f2547871b2046ddb95bbd7ea9c",
    linux_amd64: "5a91c93a9949ed8863ee4b91cfc30640bc49ab04225f0b1c5a0650c4d6e10171",
    linux_arm64: "0083b02005ad89f6a01773866c6a892194ba27867b5f26ee374a0dfbbfb84c07",
  },
  go: { folder: "vault", package: "github.com/hashicorp/vault" },
};

/**
 * The API server of Kubernetes (Apache-2.0). No sum of a release is pinned, so it is built. Its module names the
 * modules that it is made of without versions; tools/kubernetes/go.mod says them.
 */
export const kubernetesPin: ProgramPin = {
  name: "kube-apiserver",
  version: "1.33.13",
  envName: "REKEY_KUBE_APISERVER_BIN",
  onPath: ["kube-apiserver"],
  baseUrl: { envName: "REKEY_KUBERNETES_DOWNLOADS", default: "https://dl.k8s.io" },
  releasePath: (platform) => `v1.33.13/kubernetes-server-${platform.replace("_", "-")}.tar.gz`,
  archive: "tar.gz",
  member: "kubernetes/server/bin/kube-apiserver",
  sha256: {},
  go: { folder: "kubernetes", package: "k8s.io/kubernetes/cmd/kube-apiserver" },
};
