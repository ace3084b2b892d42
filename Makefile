# Verbs. Each line calls cargo or the program; there is no logic of its own here.

CARGO ?= cargo
FLAGS ?= --release --locked
export ACCRUE_REVISION ?= $(shell git describe --always --dirty 2>/dev/null || echo unknown)
DATA ?= data
PROGRAM ?= target/release/accrue
ACCRUE = $(CARGO) run $(FLAGS) --quiet --

.DEFAULT_GOAL := help
.PHONY: help build run test bench bench-peers check-peers man reproduce reproduce-line reproduce-geometry \
	reproduce-context lint doc clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 20

build: ## build the program: target/release/accrue
	$(CARGO) build $(FLAGS)

run: build ## the quickstart: three topics, no download, under a minute
	$(ACCRUE) run pipeline/experiments/quickstart.ron

test: ## the whole test suite
	$(CARGO) test $(FLAGS)

# A corpus that is not there is named, and the next one goes on.
reproduce: reproduce-line reproduce-geometry reproduce-context ## every study, on the corpora that are there

# PROFILE=paper also trains four cells with three seeds each, on sentences and reviews.
PROFILE ?= small
GRIDS_small =
GRIDS_paper = pipeline/experiments/line/valences.ron pipeline/experiments/line/sentences.ron pipeline/experiments/line/reviews.ron

reproduce-line: build ## the line attractor (PROFILE=small|paper)
	-$(ACCRUE) run pipeline/experiments/line/valence.ron
	-$(foreach grid,$(GRIDS_$(PROFILE)),$(ACCRUE) run $(grid);)
	-$(ACCRUE) run pipeline/experiments/imdb.ron
	-$(ACCRUE) run pipeline/experiments/sst2.ron

# PROFILE=small: one network of each kind, a quarter of the steps.
SHAPES = unordered ordered labels
SHORT = --set grid=[] --set training.steps=1500 --set training.decay=0.998
SHAPES_small = $(foreach s,$(SHAPES),$(ACCRUE) run pipeline/experiments/geometry/$(s).ron $(SHORT) --set name=$(s)_small;)
SHAPES_paper = $(foreach s,$(SHAPES) correlated collapse,$(ACCRUE) run pipeline/experiments/geometry/$(s).ron;)

reproduce-geometry: build ## several classes and labels: shapes, dimensions
	-$(SHAPES_$(PROFILE))
	-$(ACCRUE) run pipeline/experiments/ag_news.ron
	-$(ACCRUE) run pipeline/experiments/newsgroups.ron
	-$(ACCRUE) run pipeline/experiments/imdb_ratings.ron
	-$(ACCRUE) run pipeline/experiments/sst5.ron
	-$(ACCRUE) run pipeline/experiments/amazon.ron
	-$(ACCRUE) run pipeline/experiments/go_emotions.ron

reproduce-context: build ## words in context: toy language, sentences
	-$(ACCRUE) run pipeline/experiments/context/toy.ron
	-$(ACCRUE) run pipeline/experiments/sst2.ron

bench: ## how fast this machine is, every cell
	$(CARGO) bench --locked --bench training --bench dynamics

bench-peers: ## the same work in PyTorch and scikit-learn
	$(CARGO) bench --locked --bench peer --bench analysis --no-run
	tests/peers/run
	tests/peers/run tests/peers/analysis.py $(DATA)
	$(ACCRUE) run pipeline/experiments/imdb.ron --data $(DATA)
	tests/peers/run tests/peers/fixed_points.py reports/imdb/gru

check-peers: build ## networks to PyTorch and back, after sst2.ron
	tests/peers/run tests/peers/interchange.py $(PROGRAM) reports/sst2/gru
	tests/peers/run tests/peers/readme.py reports

man: build ## man pages and shell completions, in target/
	$(ACCRUE) man target/man
	mkdir -p target/completions
	$(ACCRUE) completions bash > target/completions/accrue.bash
	$(ACCRUE) completions zsh > target/completions/_accrue
	$(ACCRUE) completions fish > target/completions/accrue.fish

lint: ## formatting, clippy, documentation; none may warn
	$(CARGO) fmt --check
	$(CARGO) clippy $(FLAGS) --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(FLAGS) --no-deps

doc: ## the method as pages: target/doc/accrue
	$(CARGO) doc $(FLAGS) --no-deps

clean: ## remove what was built (runs and corpora stay)
	$(CARGO) clean
