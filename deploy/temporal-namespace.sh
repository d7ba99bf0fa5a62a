#!/bin/sh
# Makes the namespace and the search attributes that Rekey uses; harmless when they are there.
set -eu

temporal operator namespace describe --namespace rekey >/dev/null 2>&1 ||
  temporal operator namespace create --namespace rekey --retention 30d

for attribute in RekeyPhase=Keyword RekeyEmergency=Bool RekeyGate=Keyword; do
  temporal operator search-attribute create --namespace rekey --name "${attribute%%=*}" --type "${attribute#*=}"
done
