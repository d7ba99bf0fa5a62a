#!/bin/sh
# Makes the passwords and keys that docker-compose.yml mounts, once: what is there already is kept, because
# a new codec key would make every running workflow unreadable.
#
# The folder is closed to other users; the files in it are not, because the programs in the containers run
# as users of their own and see the files with the modes that they have here.
set -eu
cd "$(dirname "$0")"

command -v openssl >/dev/null 2>&1 || {
  printf 'error: openssl is not on PATH\nhint: install it; it makes the keys\n' >&2
  exit 5
}
umask 077
mkdir -p secrets
chmod 700 secrets

# keep NAME: writes standard input to the file unless the file is there.
keep() {
  cat > "secrets/$1.new"
  # An empty file is what a failed openssl leaves: as a password it would lock nobody out.
  [ -s "secrets/$1.new" ] || { printf 'error: %s could not be made\nhint: see what openssl says above\n' "$1" >&2; exit 1; }
  if [ -s "secrets/$1" ]; then rm "secrets/$1.new"; return; fi
  chmod 444 "secrets/$1.new"
  mv "secrets/$1.new" "secrets/$1"
  printf 'made deploy/secrets/%s\n' "$1" >&2
}
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

openssl rand -hex 24 | tr -d '\n' | keep temporal-password
openssl rand -hex 24 | tr -d '\n' | keep inventory-password
printf 'postgres://rekey:%s@inventory:5432/rekey' "$(cat secrets/inventory-password)" | keep inventory-url
openssl rand -base64 32 | tr -d '\n' | keep codec-key
openssl rand -base64 32 | tr -d '\n' | keep fingerprint-key
openssl rand -base64 32 | tr -d '\n' | keep api-token

# An Ed25519 key as JWK: its last 32 bytes in DER are the private scalar, or the public point.
ed25519_jwk() {
  openssl genpkey -algorithm ed25519 -outform DER -out secrets/draft.der
  printf '{"kty":"OKP","crv":"Ed25519","d":"%s","x":"%s"}' \
    "$(tail -c 32 secrets/draft.der | base64url)" \
    "$(openssl pkey -inform DER -in secrets/draft.der -pubout -outform DER | tail -c 32 | base64url)"
  rm -f secrets/draft.der
}
ed25519_jwk | keep engine-key
ed25519_jwk | keep audit-key
