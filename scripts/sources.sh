#!/bin/sh
# Prints one checksum over every file that the build reads, because time stamps lie after a checkout and
# a rebuild that is not needed costs every `make` its two seconds.
set -eu
cd "$(dirname "$0")/.."

{
  find . \( -path ./node_modules -o -path ./dist -o -path './dist.*' -o -path ./.cache -o -path ./test -o -path ./.git \
    -o -path ./.rekey -o -path ./coverage -o -path ./docs \) -prune -o -type f \( -name '*.ts' -o -name '*.sql' \) -print
  echo ./tsconfig.json
  echo ./tsconfig.build.json
  echo ./tsconfig.kit.json
  echo ./scripts/build.sh
} | LC_ALL=C sort | tr '\n' '\0' | xargs -0 cksum | cksum
