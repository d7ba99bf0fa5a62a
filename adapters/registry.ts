/**
 * Every kind, once: its name in the estate and what makes it. The estate's schema, the worker and the pages
 * are derived from this object, so that adding a kind is one line here.
 */
import { commandConsumer } from "./consumers/command.js";
import { confirmation } from "./consumers/confirmation.js";
import { httpAttest } from "./consumers/http-attest.js";
import { jwksVerifier } from "./consumers/jwks-verifier.js";
import { pgbouncer } from "./consumers/pgbouncer.js";
import { postgresSessions } from "./consumers/postgres-sessions.js";
import { rekeyProcesses } from "./consumers/rekey-processes.js";
import { awsIam } from "./issuers/aws-iam.js";
import { http } from "./issuers/http.js";
import { jwks } from "./issuers/jwks.js";
import { keyRing } from "./issuers/key-ring.js";
import { postgres } from "./issuers/postgres.js";
import { redis } from "./issuers/redis.js";
import { commandNotifier } from "./notifiers/command.js";
import { webhook } from "./notifiers/webhook.js";
import type { ConsumerKind, IssuerKind, NotifierKind, SourceKind, StoreKind } from "./ports.js";
import { awsIamReport } from "./sources/aws-iam-report.js";
import { cloudtrail } from "./sources/cloudtrail.js";
import { commandSource } from "./sources/command.js";
import { compose } from "./sources/compose.js";
import { envFiles } from "./sources/env-files.js";
import { githubActions } from "./sources/github-actions.js";
import { gitlabCi } from "./sources/gitlab-ci.js";
import { gitleaks } from "./sources/gitleaks.js";
import { kubernetes } from "./sources/kubernetes.js";
import { kubernetesManifests } from "./sources/kubernetes-manifests.js";
import { mysqlProcesslist } from "./sources/mysql-processlist.js";
import { postgresActivity } from "./sources/postgres-activity.js";
import { rabbitmqConnections } from "./sources/rabbitmq-connections.js";
import { redisClients } from "./sources/redis-clients.js";
import { table } from "./sources/table.js";
import { terraform } from "./sources/terraform.js";
import { tlsEndpoints } from "./sources/tls-endpoints.js";
import { trufflehog } from "./sources/trufflehog.js";
import { vaultAudit } from "./sources/vault-audit.js";
import { awsSecretsManager } from "./stores/aws-secrets-manager.js";
import { file } from "./stores/file.js";
import { folder } from "./stores/folder.js";
import { vault } from "./stores/vault.js";

/** Kinds by their names in the estate, for each port. */
export interface Kinds {
  readonly issuers: Readonly<Record<string, IssuerKind>>;
  readonly stores: Readonly<Record<string, StoreKind>>;
  readonly consumers: Readonly<Record<string, ConsumerKind>>;
  readonly sources: Readonly<Record<string, SourceKind>>;
  readonly notifiers: Readonly<Record<string, NotifierKind>>;
}

/** The registry. Keys are what stands behind `kind:` in the estate. */
export const kinds: Kinds = {
  issuers: { "aws-iam": awsIam, http, jwks, "key-ring": keyRing, postgres, redis },
  stores: { "aws-secrets-manager": awsSecretsManager, file, folder, vault },
  consumers: {
    command: commandConsumer,
    confirmation,
    "http-attest": httpAttest,
    "jwks-verifier": jwksVerifier,
    pgbouncer,
    "postgres-sessions": postgresSessions,
    "rekey-processes": rekeyProcesses,
  },
  sources: {
    "aws-iam-report": awsIamReport,
    cloudtrail,
    command: commandSource,
    compose,
    "env-files": envFiles,
    "github-actions": githubActions,
    "gitlab-ci": gitlabCi,
    gitleaks,
    kubernetes,
    "kubernetes-manifests": kubernetesManifests,
    "mysql-processlist": mysqlProcesslist,
    "postgres-activity": postgresActivity,
    "rabbitmq-connections": rabbitmqConnections,
    "redis-clients": redisClients,
    table,
    terraform,
    "tls-endpoints": tlsEndpoints,
    trufflehog,
    "vault-audit": vaultAudit,
  },
  notifiers: { command: commandNotifier, webhook },
};
