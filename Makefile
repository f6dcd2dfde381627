# The commands of this project. A newcomer needs two: make demo, make test.
.DEFAULT_GOAL := help
.PHONY: help demo dev test check bench fix web agent dist parts

export CARGO_TERM_COLOR ?= auto

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: ## simulated clusters and a running Muster at 127.0.0.1:8080 (DEMO_PORT moves it)
	@node scripts/demo.mjs

dev: ## the demo with the dashboard reloading from source (vite)
	@node scripts/demo.mjs --dev

test: ## every test: Rust on SQLite and PostgreSQL, web, browser
	@scripts/test.sh

check: ## what CI runs: format, lints, dependencies, drift, every test
	@scripts/check.sh

bench: web agent ## measures what is promised: a table, and target/bench.json
	@scripts/with-postgres.sh node scripts/bench.mjs

fix: ## format and regenerate what is generated (openapi.yaml, TypeScript types)
	cargo fmt --all
	UPDATE_EXPECT=1 cargo test -q -p muster --test openapi
	cd web && npm run --silent generate

web: ## the dashboard, into web/dist, from where the server takes it
	@scripts/build.sh web

agent: ## the static agent, into target/agents
	@scripts/build.sh agent

dist: ## what one installs from, into target/dist: static program, tarball, .deb, image
	@scripts/dist.sh

parts: ## installs what the tests need (as root, Debian)
	@scripts/parts.sh install
