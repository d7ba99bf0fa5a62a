#!/bin/sh
# Builds the harness into a folder of its own, so that the product's dist never holds a fault. Arguments are the compiler's.
set -eu
cd "$(dirname "$0")/../.."
node_modules/.bin/tsc -p test/faults/tsconfig.json "$@"
# The compiler leaves out what is no TypeScript.
find adapters audit inventory -name '*.sql' | while read -r file; do
  mkdir -p "dist.faults/$(dirname "$file")"
  cp "$file" "dist.faults/$file"
done
