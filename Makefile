# The whole surface of the project for a newcomer: two commands that set themselves up, and their parts.

RUN := scripts/setup.sh

.DEFAULT_GOAL := help
.PHONY: help setup build demo test faults bench real-inputs check clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install Node (when too old), node modules and nothing else
	@$(RUN) --no-build

build: ## compile to dist/
	@$(RUN)

demo: ## rotate a live credential before your eyes (STORE=vault for a real Vault or OpenBao, KEEP=1 keeps its files)
	@$(RUN) node dist/bin/rekey.js demo $(if $(STORE),--store $(STORE))

test: ## run every test suite (SUITES="domain tidy" for some of them)
	@$(RUN) node dist/scripts/test.js $(SUITES)

faults: ## put every fault at every outside call (CASE=id for one, WORLD=name, SEED=n, MINUTES=n; MUTANTS=1 for planted bugs)
	@$(RUN) test/faults/build.sh
	@$(RUN) node dist.faults/test/faults/$(if $(MUTANTS),mutants-main.js,main.js) $(if $(CASE),--case "$(CASE)") $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(LANES),--lanes $(LANES)) $(if $(WORLD),--world $(WORLD))

bench: ## measure, and write tables, JSON and docs/measurements.md (PARTS="rotations overhead audit audit-full" for some of it)
	@$(RUN) node dist/bench/main.js $(PARTS)

real-inputs: ## read a folder of your own with the sources of configuration, and print what they find (DIR=folder, KINDS="compose", TRUTH="table.csv ...", SETTINGS=json, KEEP=1 for figures of docs/real-inputs.md)
	@$(RUN) node dist/bench/real-inputs.js $(DIR) $(KINDS) $(foreach table,$(TRUTH),--truth $(table)) $(if $(KEEP),--keep) $(if $(SETTINGS),--settings '$(SETTINGS)')

check: ## formatting, types, dead code and house rules only
	@$(RUN) node dist/scripts/test.js tidy domain explore

clean: ## remove what was built (the cache of tools stays; delete .cache by hand)
	@rm -rf dist dist.faults dist.next.* dist.old.* coverage .cache/stamps
