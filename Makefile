# Verbs, and which runs are stale. Each recipe calls cargo or the program.

CARGO ?= cargo
FLAGS ?= --release --locked
# Read once: a file changed while a long target runs must not build the program anew between two of its runs.
ACCRUE_REVISION := $(or $(ACCRUE_REVISION),$(shell git describe --always --dirty 2>/dev/null || echo unknown))
export ACCRUE_REVISION
DATA ?= $(or $(ACCRUE_DATA),data)
OUT ?= reports
PROGRAM ?= $(or $(CARGO_TARGET_DIR),target)/release/accrue
ACCRUE = $(CARGO) run $(FLAGS) --quiet --

# PROFILE=small has one network of each shape; PROFILE=cells every cell with three seeds, 64 units; PROFILE=paper
# four cells with three seeds each, on sentences and reviews too, and shapes of the published size.
PROFILE ?= small
CONTEXT_cells = context/seeds context/sentences context/goods
CONTEXT_paper = $(CONTEXT_cells) context/reviews context/from_reviews
GRIDS_cells = line/valences line/sentences
GRIDS_paper = line/valences line/sentences line/reviews
SHAPES = unordered ordered bend labels correlated collapse many
SHAPES_small = geometry/unordered_small geometry/ordered_small geometry/labels_small
SHAPES_cells = $(addprefix geometry/,$(SHAPES))
# `bend` has settings of its own, not the published ones.
SHAPES_paper = geometry/bend $(patsubst %,geometry/%_paper,$(filter-out bend,$(SHAPES)))
AS_PUBLISHED = --set model.units=128 --set training.batch=120 --set training.epochs=18

.DEFAULT_GOAL := help
.PHONY: help build run test check-kills fuzz bench bench-peers check-peers check-slurm check-hyperqueue wheel check-python bench-python cuda-toolkit cuda check-cuda check-kernels bench-cuda man reproduce reproduce-line reproduce-geometry \
	reproduce-context lint doc clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 20

build: ## build the program: target/release/accrue
	$(CARGO) build $(FLAGS)

run: build ## the quickstart: three topics, no download, under a minute
	$(ACCRUE) run pipeline/experiments/quickstart.ron

test: ## the whole test suite
	$(CARGO) test $(FLAGS) --workspace

check-kills: ## 200 random kills over runs and grids leave no trace (ACCRUE_KILLS=N, ACCRUE_SEED=N)
	$(CARGO) test $(FLAGS) --test accrue -- --ignored --nocapture engine::two_hundred

# Make goes by times: a run is asked for again where its page is older than its experiment file, its
# corpus or the program. `accrue run` then compares contents, and does what they change.
# A corpus that is not there is named, and the next one goes on.
# PART=3/20 makes that part of every grid, and part 1 the single networks too; when all parts have ended, the same
# without PART finds everything in place and writes the pages.
#
# $(1): folder of the run; $(2): experiment; $(3): corpus; $(4): settings
define run-of
$(OUT)/$(1)/index.html: pipeline/experiments/$(2).ron $$(PROGRAM) $(wildcard $(DATA)/$(3)/*.parquet)
	-$$(ACCRUE) run $$< --data $$(DATA) --out $$(OUT) $(4) $$(if $$(PART),--part $$(PART),&& touch $$@)
endef
$(eval $(call run-of,line/valence,line/valence,-))
$(eval $(call run-of,line/valences,line/valences,-))
$(eval $(call run-of,line/sentences,line/sentences,sst2))
$(eval $(call run-of,line/reviews,line/reviews,imdb))
$(eval $(call run-of,context/toy,context/toy,-))
$(eval $(call run-of,context/beginning,context/beginning,-))
$(eval $(call run-of,context/seeds,context/seeds,-))
$(eval $(call run-of,context/sentences,context/sentences,sst2))
$(eval $(call run-of,context/reviews,context/reviews,imdb))
$(eval $(call run-of,context/from_reviews,context/from_reviews,sst2))
$(OUT)/context/from_reviews/index.html: $(OUT)/context/reviews/index.html
$(eval $(call run-of,context/goods,context/goods,amazon))
$(foreach run,imdb sst2 ag_news newsgroups sst5 amazon go_emotions,$(eval $(call run-of,$(run)/gru,$(run),$(run))))
$(eval $(call run-of,imdb/ratings,imdb_ratings,imdb))
$(foreach run,$(SHAPES),$(eval $(call run-of,geometry/$(run),geometry/$(run),-)))
$(foreach run,$(SHAPES),$(eval $(call run-of,geometry/$(run)_small,geometry/$(run),-,--set grid=[] --set name=$(run)_small)))
$(foreach run,$(SHAPES),$(eval $(call run-of,geometry/$(run)_paper,geometry/$(run),-,$(AS_PUBLISHED) --set name=$(run)_paper)))

pages = $(patsubst %,$(OUT)/%/index.html,$(1))

reproduce: reproduce-line reproduce-geometry reproduce-context ## every study, on the corpora that are there

reproduce-line: $(call pages,line/valence $(GRIDS_$(PROFILE)) imdb/gru sst2/gru) ## the line attractor (PROFILE=small|cells|paper)

REAL = ag_news/gru newsgroups/gru imdb/ratings sst5/gru amazon/gru go_emotions/gru
reproduce-geometry: $(call pages,$(SHAPES_$(PROFILE)) $(REAL)) ## several classes and labels: shapes, dimensions

reproduce-context: $(call pages,context/toy context/beginning $(CONTEXT_$(PROFILE)) sst2/gru) ## words in context: toy language, sentences

$(PROGRAM): build ;

MINUTES ?= 10
fuzz: ## every reader on files near good ones (MINUTES=10)
	$(CARGO) run $(FLAGS) --quiet --example fuzz -- $(MINUTES)

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

NETWORKS ?= 200
check-slurm: build ## a sweep through a real Slurm with two nodes, one killed (Debian's packages, root; NETWORKS=200)
	python3 tests/engines/slurm.py $(PROGRAM) --networks $(NETWORKS)

# HyperQueue's Python package holds its server and workers: into target/, where it is not installed.
check-hyperqueue: build ## a sweep through a real HyperQueue with two workers, one killed (NETWORKS=200)
	[ -e target/hyperqueue ] || (python3 -m venv target/hyperqueue && target/hyperqueue/bin/pip install -q hyperqueue)
	target/hyperqueue/bin/python tests/engines/hyperqueue_check.py $(PROGRAM) --networks $(NETWORKS)

# Python 3.10 or newer; what building and testing the wheel need goes into target/, in environments of its own.
PYTHON ?= python3
TARGET = $(or $(CARGO_TARGET_DIR),target)
WHEELS = $(TARGET)/wheels
NEWEST = $$(ls -t $(WHEELS)/accrue-*.whl | head -1)
# Where torch is, if it is anywhere: tests/peers/run makes it.
PEERS ?= $(or $(ACCRUE_PEERS),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/accrue/peers)
WITH_TORCH = PYTHONPATH=$(abspath $(TARGET)/with-torch) $(PEERS)/bin/python

wheel: ## Python's wheel, in target/wheels: `import accrue`, and the command line
	[ -x $(TARGET)/maturin/bin/maturin ] || ($(PYTHON) -m venv $(TARGET)/maturin && $(TARGET)/maturin/bin/pip install -q 'maturin>=1.8,<2')
	rm -f $(WHEELS)/accrue-*.whl
	$(TARGET)/maturin/bin/maturin build $(FLAGS) --manifest-path pipeline/python/Cargo.toml --out $(WHEELS) --interpreter $(PYTHON)

$(TARGET)/python/ready:
	$(PYTHON) -m venv $(TARGET)/python
	$(TARGET)/python/bin/pip install -q numpy polars pytest mypy
	touch $@

check-python: wheel $(TARGET)/python/ready ## the wheel in an environment with NumPy and polars alone, and beside torch where it is
	$(TARGET)/python/bin/pip install -q --force-reinstall --no-deps $(NEWEST)
	$(TARGET)/python/bin/pytest -q tests/python
	if $(PEERS)/bin/python -c 'import torch, pytest' 2>/dev/null; then \
		$(PEERS)/bin/python -m pip install -q --upgrade --no-deps --target $(TARGET)/with-torch $(NEWEST) && \
		$(WITH_TORCH) -m pytest -q tests/python; \
	else echo "no torch at $(PEERS): its tests were skipped (ACCRUE_PEERS names another environment)"; fi

bench-python: wheel ## the 3-bit memory in a notebook's session beside joint Adam in torch
	$(PEERS)/bin/python -m pip install -q --upgrade --no-deps --target $(TARGET)/with-torch $(NEWEST)
	$(WITH_TORCH) tests/peers/notebook.py

# NVIDIA's compiler: the one that `make cuda-toolkit` brings, or CUDA=/usr/local/cuda. CUDA_COMPUTE_CAP is
# the card's: 90 for H100 and H200, 80 for A100 (no clusters there), and so on.
CUDA ?= target/cuda-toolkit
CUDA_COMPUTE_CAP ?= 90
KIT = $(abspath $(CUDA))
WITH_CUDA = CUDA_ROOT=$(KIT) CUDA_PATH=$(KIT) CUDA_COMPUTE_CAP=$(CUDA_COMPUTE_CAP) LIBRARY_PATH=$(KIT)/lib64 \
	PATH="$(KIT)/bin:$(KIT)/nvvm/bin:$$PATH"

cuda-toolkit: ## NVIDIA's compiler and libraries, into target/cuda-toolkit (no root, 1.2 GB)
	[ -e $(CUDA)/lib64 ] || pipeline/ops/kernels/toolkit $(CUDA)

cuda: build cuda-toolkit ## the program for a GPU: target/release/accrue-cuda, which `accrue --device cuda` starts
	$(WITH_CUDA) $(CARGO) build $(FLAGS) --features cuda --bin accrue-cuda

check-kernels: ## the kernels' loops on the processor, every CUDA thread a thread
	mkdir -p target && $(CXX) -O1 -std=c++20 -pthread -w -o target/emulated tests/cuda/emulated.cpp
	target/emulated

# A driver of names alone, last in line and only where there is none: it says that there is no card.
NO_DRIVER = $(if $(shell ldconfig -p 2>/dev/null | grep libcuda.so.1),,:$(abspath target/no-driver))

check-cuda: cuda-toolkit check-kernels ## everything for a GPU compiles, kernels included; its tests, where there is one
	mkdir -p target/no-driver
	ln -sf "$$(ls $(KIT)/lib64/libcuda.so $(KIT)/lib64/stubs/libcuda.so 2>/dev/null | head -1)" target/no-driver/libcuda.so.1
	$(WITH_CUDA) LD_LIBRARY_PATH="$$LD_LIBRARY_PATH:$(KIT)/lib64$(NO_DRIVER)" \
		$(CARGO) test $(FLAGS) --features cuda --test accrue -- --nocapture cuda::

bench-cuda: cuda-toolkit ## training on a GPU beside PyTorch with cuDNN
	$(WITH_CUDA) LD_LIBRARY_PATH="$$LD_LIBRARY_PATH:$(KIT)/lib64" $(CARGO) bench --locked --features cuda --bench peer --no-run
	LD_LIBRARY_PATH="$$LD_LIBRARY_PATH:$(KIT)/lib64" tests/peers/run tests/peers/gpu.py

man: build ## man pages and shell completions, in target/
	$(ACCRUE) man target/man
	mkdir -p target/completions
	$(ACCRUE) completions bash > target/completions/accrue.bash
	$(ACCRUE) completions zsh > target/completions/_accrue
	$(ACCRUE) completions fish > target/completions/accrue.fish

lint: ## formatting, clippy, documentation; none may warn
	$(CARGO) fmt --check
	$(CARGO) clippy $(FLAGS) --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(FLAGS) --workspace --no-deps

doc: ## the method as pages: target/doc/accrue
	$(CARGO) doc $(FLAGS) --workspace --no-deps

clean: ## remove what was built (runs and corpora stay)
	$(CARGO) clean
