#!/bin/sh
# Makes the namespace and the search attributes that Rekey uses; harmless when they are there.
set -eu

temporal operator namespace describe --namespace rekey >/dev/null 2>&1 ||
  temporal operator namespace create --namespace rekey --retention 30d

# A server learns of a new namespace some seconds late; until then it says that there is none.
create() {
  tries=30
  until temporal operator search-attribute create --namespace rekey --name "$1" --type "$2"; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || exit 1
    sleep 1
  done
}

for attribute in RekeyPhase=Keyword RekeyEmergency=Bool; do
  create "${attribute%%=*}" "${attribute#*=}"
done
