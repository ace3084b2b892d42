# Verbs. Each line calls cargo or the program; there is no logic of its own here.

CARGO ?= cargo
FLAGS ?= --release --locked
export ACCRUE_REVISION ?= $(shell git describe --always --dirty 2>/dev/null || echo unknown)
ACCRUE = $(CARGO) run $(FLAGS) --quiet --

.DEFAULT_GOAL := help
.PHONY: help build run test bench bench-peers lint doc clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

build: ## build the program: target/release/accrue
	$(CARGO) build $(FLAGS)

run: build ## the quickstart: three topics, no download, under a minute
	$(ACCRUE) run pipeline/experiments/quickstart.ron

test: ## the whole test suite
	$(CARGO) test $(FLAGS)

bench: ## how fast this machine trains, every cell, both sizes
	$(CARGO) bench --locked --bench training

bench-peers: ## the same work in PyTorch, alternating (makes its own Python environment)
	$(CARGO) bench --locked --bench peer --no-run
	tests/peers/run

lint: ## formatting, clippy and documentation, warnings denied
	$(CARGO) fmt --check
	$(CARGO) clippy $(FLAGS) --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(FLAGS) --no-deps

doc: ## the method section, as pages: target/doc/accrue/index.html
	$(CARGO) doc $(FLAGS) --no-deps

clean: ## remove what was built (runs and corpora stay)
	$(CARGO) clean
