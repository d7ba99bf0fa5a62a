#!/bin/sh
# Builds dist beside the old one and swaps the two at the end, so that a program started from dist never
# meets half a build and a file whose source is gone does not live on.
set -eu
cd "$(dirname "$0")/.."

next=dist.next.$$
trap 'rm -rf "$next" "dist.old.$$"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

node_modules/.bin/tsc -p tsconfig.build.json --outDir "$next"
# The kit is imported by others (package.json, exports), so it alone has declarations.
node_modules/.bin/tsc -p tsconfig.kit.json --outDir "$next"
# The compiler leaves out what is no TypeScript: migrations are SQL, read from beside the code.
find adapters audit inventory -name '*.sql' | while read -r file; do
  mkdir -p "$next/$(dirname "$file")"
  cp "$file" "$next/$file"
done
node "$next/scripts/bundle-workflows.js"
chmod +x "$next/bin/rekey.js"
touch "$next/.complete"

if [ -d dist ]; then mv dist "dist.old.$$"; fi
mv "$next" dist
