# `make` lists what there is. Every target that builds first sees to what the build needs (docs/setup.md).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= python3
SLOTS ?= $(shell nproc)
PREFIX ?= $(HOME)/.local
DEPS := $(abspath $(or $(EFFLUX_DEPS_DIR),.deps))
TARGET := $(or $(CARGO_TARGET_DIR),target)

# env.sh tells cargo where libtorch, MPI and libclang are.
IN_ENV := source '$(DEPS)/env.sh' &&
# Somebody's own HDF5 is linked as it is; else HDF5 is built from source and linked in.
FEATURES := --locked $(if $(HDF5_DIR),--no-default-features --features mpi)
# One profile for everything: libtorch's C++ interface and HDF5 take minutes to compile, and so are compiled once.
BUILD := --release $(FEATURES)

.PHONY: help deps build demo pictures test test-reference test-slurm lint bench install uninstall tarball wheel check-install clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

deps: ## Install what the build needs into .deps (600 MB to download); CUDA=1: also for GPUs (2.5 GB more)
	@$(PYTHON) scripts/deps.py $(if $(filter 1,$(CUDA)),--cuda)

build: deps ## Build target/release/efflux and efflux-trainer
	@$(IN_ENV) cargo build $(BUILD)

demo: build ## Pack the 56 sites of data/cosore-daily, run jobs/cosore-daily.toml on them, say where the report is
	@test -e data/cosore-daily.h5 || $(TARGET)/release/efflux pack --sites data/cosore-daily \
		--from 2003-01-01 --to 2020-02-29 -o data/cosore-daily.h5
	$(TARGET)/release/efflux sweep jobs/cosore-daily.toml --slots $(SLOTS)
	@echo "The report: $(CURDIR)/runs/cosore-daily/report/index.html"

pictures: export PATH := $(abspath $(TARGET))/release:$(PATH)
pictures: demo ## Draw the pictures of README.md and docs/tutorial.md anew, from the runs of demo and tutorial; needs chromium
	@$(IN_ENV) scripts/pictures runs/cosore-daily docs/pictures
	@rm -rf '$(TARGET)/my-study' && efflux init '$(TARGET)/my-study'
	@$(IN_ENV) cd '$(TARGET)/my-study' && efflux import import.toml -o daily && \
		efflux pack --sites daily -o sites.h5 && efflux sweep job.toml && \
		'$(CURDIR)/scripts/pictures' runs/job '$(CURDIR)/docs/pictures' OAK

# A test that cannot run here writes "name: reason" to $EFFLUX_SKIPPED and passes.
test: export EFFLUX_SKIPPED := $(abspath $(TARGET))/skipped.txt
# The raw COSORE data are not part of the repository; where they lie beside it they are tested with.
test test-reference: export EFFLUX_COSORE_DIR ?= $(wildcard $(CURDIR)/../shared/cosore)
test test-reference: export EFFLUX_COSORE_DAILY_DIR ?= $(wildcard $(CURDIR)/../shared/cosore-daily)
test: deps ## Run all tests that this machine can run, and name the others
	@mkdir -p '$(TARGET)' && rm -f "$$EFFLUX_SKIPPED"
	@$(IN_ENV) cargo build $(BUILD)
	@status=0; $(IN_ENV) cargo test $(BUILD) --workspace || status=$$?; \
	if [ -s "$$EFFLUX_SKIPPED" ]; then echo 'Not run on this machine:'; sort -u "$$EFFLUX_SKIPPED" | sed 's/^/  /'; fi; \
	exit $$status

test-reference: export EFFLUX_REFERENCE_DIR := $(abspath $(or $(EFFLUX_REFERENCE_DIR),tests/data/reference))
test-reference: deps ## Check against the golden numbers in EFFLUX_REFERENCE_DIR, or those of the repository
	@$(IN_ENV) cargo test $(BUILD) --workspace --exclude efflux --test it reference::

test-slurm: export EFFLUX_REQUIRE_SLURM := 1
test-slurm: deps ## Test the batch script under a real Slurm, started for it (root; docs/slurm.md names the packages)
	@$(IN_ENV) cargo build $(BUILD)
	@$(IN_ENV) cargo test $(BUILD) --package efflux --test it slurm::

lint: export RUSTDOCFLAGS := -Dwarnings
lint: ## Check format, clippy, documentation, shell scripts, licences and origins of the crates
	@$(PYTHON) scripts/deps.py --lint
	@$(IN_ENV) cargo fmt --all --check
	@$(IN_ENV) cargo clippy $(BUILD) --workspace --all-targets -- -D warnings
	@$(IN_ENV) cargo doc $(BUILD) --workspace --no-deps --document-private-items
	@$(IN_ENV) git grep --untracked -lE '^#!/(usr/)?bin/(env )?bash' | xargs shellcheck --external-sources
	@$(IN_ENV) cargo deny --workspace --log-level error check bans licenses sources
	@echo 'lint: advisories are not checked, their database comes over the network: cargo deny check advisories'

bench: deps ## Run the benchmarks
	@$(IN_ENV) cargo bench $(FEATURES) --workspace --bench '*'

# docs/install.md says what they hold.
install: build package-tools ## Install a tree with all that it needs into PREFIX (default: ~/.local); it may be moved
	@$(PYTHON) scripts/package.py install '$(PREFIX)'

uninstall: ## Remove what was installed with the same PREFIX
	@$(PYTHON) scripts/package.py uninstall '$(PREFIX)'

tarball: build package-tools ## Make dist/efflux-VERSION-COMMIT-….tar.gz of that tree and of the sources, and SHA256SUMS
	@$(PYTHON) scripts/package.py tarball dist

wheel: build package-tools ## Make dist/efflux-VERSION-….whl: for pip, beside the wheels of torch and Open MPI
	@$(PYTHON) scripts/package.py wheel dist

check-install: package-tools build ## Install a tree and the wheel somewhere, move them, sweep with what was installed
	@$(IN_ENV) PYTHON=$(PYTHON) scripts/check-install

.PHONY: package-tools
package-tools:
	@$(PYTHON) scripts/deps.py --package

clean: ## Remove what was built; .deps, data and runs stay
	rm -rf '$(TARGET)'
