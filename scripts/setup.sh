#!/bin/sh
# Makes a fresh clone ready and then runs a command, so that `make demo` and `make test` need nothing but
# npm and any Node. Each step prints a line when it has something to do and is silent when it has not.
#
#   scripts/setup.sh [--no-build] [command [argument ...]]
#
# The command runs with a Node of at least 22.12 first on its PATH. Everything that is made here lies in
# node_modules, dist and the cache folder (.cache, or REKEY_CACHE).
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
REKEY_CACHE=${REKEY_CACHE:-$root/.cache}
export REKEY_CACHE
node_pin=24.21.0
node_oldest="22.12"
key=$(printf %s "$root" | cksum | tr ' ' '-')
stamps=$REKEY_CACHE/stamps/$key
logs=$REKEY_CACHE/logs
lock=$REKEY_CACHE/locks/setup-$key
mkdir -p "$stamps" "$logs" "$REKEY_CACHE/locks"

say() { printf 'setup: %s\n' "$1" >&2; }
fail() { printf 'error: %s\nhint: %s\n' "$1" "$2" >&2; exit 5; }

build=yes
if [ "${1:-}" = "--no-build" ]; then build=no; shift; fi

# --- two runs at once wait for each other; the lock of a dead process is taken over -------------------
release() { rm -rf "$lock"; }
acquire() {
  waited=no
  until mkdir "$lock" 2>/dev/null; do
    holder=$(cat "$lock/pid" 2>/dev/null || true)
    if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then rm -rf "$lock"; continue; fi
    # A lock without a pid is either a moment old or was left between mkdir and the write.
    if [ -z "$holder" ] && [ -n "$(find "$lock" -prune -mmin +1 2>/dev/null)" ]; then rm -rf "$lock"; continue; fi
    if [ "$waited" = no ]; then say "waiting for another set-up (process ${holder:-starting})"; waited=yes; fi
    sleep 0.2
  done
  echo $$ > "$lock/pid"
  trap release EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

# --- Node: the one on PATH when it is young enough, else the pinned npm package in the cache ----------
young_enough() {
  version=$("$1" --version 2>/dev/null) || return 1
  version=${version#v}
  major=${version%%.*}
  rest=${version#*.}
  minor=${rest%%.*}
  [ "$major" -gt 22 ] || { [ "$major" -eq 22 ] && [ "$minor" -ge 12 ]; }
}

use_node() {
  if command -v node >/dev/null 2>&1 && young_enough node; then return; fi
  node_home=$REKEY_CACHE/node-$node_pin
  node_bin=$node_home/node_modules/node/bin
  if ! young_enough "$node_bin/node"; then
    command -v npm >/dev/null 2>&1 ||
      fail "neither Node $node_oldest or later nor npm is on PATH" "install Node 24 from https://nodejs.org, or npm with any Node"
    say "installing Node $node_pin into the cache (the one on PATH is older than $node_oldest)"
    rm -rf "$node_home"
    mkdir -p "$node_home"
    printf '{"private":true,"dependencies":{"node":"%s"},"allowScripts":{"node":true}}\n' "$node_pin" > "$node_home/package.json"
    npm install --prefix "$node_home" --no-audit --no-fund >"$logs/node.log" 2>&1 || {
      tail -n 15 "$logs/node.log" >&2
      fail "Node $node_pin could not be installed with npm" "check the network (log: $logs/node.log), or install Node 24 from https://nodejs.org"
    }
    young_enough "$node_bin/node" ||
      fail "the npm package node@$node_pin brought no program for this machine" "install Node 24 from https://nodejs.org"
  fi
  PATH=$node_bin:$PATH
  export PATH
}

# --- node modules: again only when the lock file or Node's major version changed ---------------------
use_modules() {
  wanted="$(cat package.json package-lock.json .npmrc | cksum) node $(node --version | cut -d. -f1)"
  if [ -f node_modules/.package-lock.json ] && [ "$(cat "$stamps/modules" 2>/dev/null)" = "$wanted" ]; then return; fi
  command -v npm >/dev/null 2>&1 || fail "npm is not on PATH" "install npm; it comes with Node from https://nodejs.org"
  say "installing node modules (npm ci)"
  npm ci --no-audit --no-fund >"$logs/npm.log" 2>&1 || {
    tail -n 15 "$logs/npm.log" >&2
    fail "npm ci failed" "check the network and the log: $logs/npm.log"
  }
  echo "$wanted" > "$stamps/modules"
}

# --- dist: again only when a source file changed -----------------------------------------------------
use_build() {
  wanted="$(scripts/sources.sh) $(cat "$stamps/modules")"
  if [ -f dist/.complete ] && [ "$(cat "$stamps/build" 2>/dev/null)" = "$wanted" ]; then return; fi
  say "building (TypeScript and workflow bundle)"
  scripts/build.sh >"$logs/build.log" 2>&1 || {
    tail -n 40 "$logs/build.log" >&2
    fail "the build failed" "correct the errors above (log: $logs/build.log)"
  }
  echo "$wanted" > "$stamps/build"
}

acquire
use_node
use_modules
[ "$build" = no ] || use_build
trap - EXIT INT TERM HUP
release

[ $# -eq 0 ] || exec "$@"
