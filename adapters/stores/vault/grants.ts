/** The policies that an administrator of Vault writes once (`rekey grants vault`): one for the engine, one for consumers. */

const defaults = {
  mount: "secret",
  path: "apps/orders/db",
  stagingPrefix: "rekey/staging",
};

/**
 * Commands for an administrator's shell. Options: `mount`, `path` (may end in `/*` for all below it),
 * `stagingMount`, `stagingPrefix`; each has the default of the settings. The consumers' policy denies the
 * staging folder by name, so that a wildcard given elsewhere does not open it (H20).
 */
export function vaultGrants(options: Readonly<Record<string, string>>): string {
  const { mount, path, stagingPrefix } = { ...defaults, ...options };
  const staging = options.stagingMount ?? mount;
  const subtree = path.endsWith("/*") ? path.slice(0, -2) : path;
  return `# Policies for Rekey. Read them, then run this in a shell that is logged in to Vault as an administrator.
# The staging folder ${staging}/${stagingPrefix} holds values that are not proven yet and old values that going
# back needs: nobody but Rekey may read it.

vault policy write rekey-engine - <<'HCL'
# The live documents: only Rekey's own fields are patched; create is for a document that does not exist yet.
path "${mount}/data/${path}" { capabilities = ["create", "read", "patch"] }
path "${mount}/metadata/${path}" { capabilities = ["read"] }
path "${mount}/destroy/${path}" { capabilities = ["update"] }
# The engine's own copies: written once, read, and removed for good; never overwritten.
path "${staging}/data/${stagingPrefix}/*" { capabilities = ["create", "read"] }
path "${staging}/metadata/${stagingPrefix}/*" { capabilities = ["read", "list", "delete"] }
# Retention, checked before each rotation.
path "${mount}/config" { capabilities = ["read"] }
${staging === mount ? "" : `path "${staging}/config" { capabilities = ["read"] }\n`}HCL

vault policy write rekey-consumer-${nameOf(subtree)} - <<'HCL'
path "${mount}/data/${path}" { capabilities = ["read"] }
path "${staging}/data/${stagingPrefix}/*" { capabilities = ["deny"] }
path "${staging}/metadata/${stagingPrefix}/*" { capabilities = ["deny"] }
HCL

# A login for the engine; the secret id is printed once, keep it where the estate's \`secretId\` points.
vault auth enable approle
vault write auth/approle/role/rekey-engine token_policies=rekey-engine token_ttl=20m token_max_ttl=4h secret_id_num_uses=0
vault read -field=role_id auth/approle/role/rekey-engine/role-id
vault write -f -field=secret_id auth/approle/role/rekey-engine/secret-id

# Makes every writer of the documents name the revision that it read, so that nobody loses another's fields.
vault kv metadata put -mount=${mount} -cas-required=true ${subtree}
`;
}

function nameOf(path: string): string {
  return path.replace(/[^A-Za-z0-9]+/g, "-");
}
