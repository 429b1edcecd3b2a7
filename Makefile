# `make demo` and `make test` install what they need and share one build. `make help` lists the other targets.

CARGO ?= cargo
PYTHON ?= python3
GRANULES ?=
DEMO := demo
# Python packages of the checks in tests/python, and programs of `make check`. Both stay below target/.
PYTHON_PACKAGES := target/python-packages
TOOLS := target/tools
# Lists the skipped tests of the last run.
SKIPPED := $(CURDIR)/target/skipped-tests
# Seed of the random numbers of `make test-long`. It is printed; SEED=number repeats a run.
SEED ?= $(shell date +%s)
# The demo builds dependencies with the same features as the tests, so that none is built twice.
PROGRAM := --bins --examples
# Tests run the example make_granules. The Python package has targets of its own.
BUILD := --workspace --exclude isdb-python --lib --bins --tests --examples
# The extension module of Python, and the same with what its tests run.
EXTENSION := --workspace --lib --bins --examples
# The environment with the packages that the tests of the Python package need, and maturin.
VENV := target/python-venv
# Built wheels.
WHEELS := target/wheels

.PHONY: help demo test test-python test-wheel test-long wheel polars snapshots fuzz check fmt clippy docs typos style public-api stubs deny unused msrv clean-demo

help:
	@echo "make demo                   build, generate granules, ingest and query them (GRANULES=folder ingests your own)"
	@echo "make test                   run all tests"
	@echo "make test-python            build the Python package and run its tests (QUERIES=number of the leak test)"
	@echo "make wheel                  build the wheel of the Python package, optimised, into $(WHEELS)"
	@echo "make test-wheel             build the wheel, install it in a fresh environment, and use it there"
	@echo "make test-long              run all tests with large counts (SEED=number repeats a run)"
	@echo "make snapshots              write tests/it/snapshots again: help, errors, reports and plans as users see them"
	@echo "make fuzz TARGET=geojson    fuzz one target of tests/fuzz/src/lib.rs (FUZZ_SECONDS=600)"
	@echo "make check                  formatting, lints, docs, spelling, style, public items, dependencies and licences"

demo:
	$(CARGO) build $(PROGRAM)
	@rm -rf $(DEMO)/atl08.isdb
ifeq ($(GRANULES),)
	target/debug/examples/make_granules $(DEMO)/granules --repeat 2
	target/debug/isdb --db $(DEMO)/atl08.isdb ingest $(DEMO)/granules
else
	target/debug/isdb --db $(DEMO)/atl08.isdb ingest "$(GRANULES)" || [ $$? -eq 3 ]
endif
	target/debug/isdb --db $(DEMO)/atl08.isdb info
	target/debug/isdb --db $(DEMO)/atl08.isdb query -f sql/queries/percentiles_by_landcover.sql
	target/debug/isdb --db $(DEMO)/atl08.isdb query "SELECT longitude, latitude, canopy_h FROM atl08 WHERE canopy_h > 5 LIMIT 10"
	@echo
	@echo "Your turn: target/debug/isdb --db $(DEMO)/atl08.isdb query \"SELECT ...\""

test: $(PYTHON_PACKAGES)/.installed
	$(CARGO) build $(BUILD)
	@rm -f $(SKIPPED)
	INSTA_UPDATE=no ISDB_TEST_SKIPS=$(SKIPPED) ISDB_TEST_PYTHON_PACKAGES=$(CURDIR)/$(PYTHON_PACKAGES) \
		$(CARGO) test --workspace --exclude isdb-python --lib --bins --tests || { tests/skipped $(SKIPPED); exit 1; }
	$(CARGO) test --workspace --exclude isdb-python --doc
	@tests/skipped $(SKIPPED)

# The tests import the extension that cargo has built in the dev profile, from a copy of the package below target/.
QUERIES ?= 600
test-python: $(VENV)/.installed
	$(CARGO) build $(EXTENSION)
	crates/isdb-python/tests/assemble target/debug target/python-package
	cd crates/isdb-python && PYTHONPATH=$(CURDIR)/target/python-package ISDB_TEST_PROGRAMS=$(CURDIR)/target/debug \
		ISDB_TEST_QUERIES=$(QUERIES) $(CURDIR)/$(VENV)/bin/pytest
	$(MAKE) stubs

# The stub of the extension module, compared with the module, and the annotations of the package.
stubs:
	cd target/python-package && PYTHONPATH=. $(CURDIR)/$(VENV)/bin/python -m mypy.stubtest isdb._isdb --ignore-disjoint-bases --mypy-config-file $(CURDIR)/crates/isdb-python/pyproject.toml
	cd target/python-package && $(CURDIR)/$(VENV)/bin/python -m mypy --config-file $(CURDIR)/crates/isdb-python/pyproject.toml isdb

$(VENV)/.installed: crates/isdb-python/tests/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# libtiledb is copied into the wheel. What the wheel needs of the system is checked against manylinux.
wheel: $(VENV)/.installed
	PATH=$(CURDIR)/$(VENV)/bin:$$PATH $(VENV)/bin/maturin build --release --locked --manifest-path crates/isdb-python/Cargo.toml --out $(WHEELS)

# Prints time and seed first, so that an interrupted run can be repeated as well.
test-long: SEED := $(SEED)
test-long:
	@echo "test-long: began $$(date -u +%Y-%m-%dT%H:%M:%SZ), SEED=$(SEED)"
	@if ISDB_TEST_LONG=1 ISDB_TEST_SEED=$(SEED) PROPTEST_CASES=2000 PROPTEST_RNG_SEED=$(SEED) $(MAKE) test polars; \
	then result=passed; else result=failed; fi; \
	echo "test-long: $$result, ended $$(date -u +%Y-%m-%dT%H:%M:%SZ), SEED=$(SEED)"; [ $$result = passed ]

# Installs the wheel in a fresh environment and uses it there.
test-wheel: wheel
	$(CARGO) build $(PROGRAM)
	target/debug/examples/make_granules target/wheel-test-granules --count 1
	crates/isdb-python/tests/wheel $(WHEELS)/isdb-*.whl target/wheel-test-granules/*.h5 target/wheel-test

# The example of the feature `polars` over a small database, apart from `make test` because polars takes minutes to build.
polars:
	$(CARGO) build $(PROGRAM)
	rm -rf target/polars
	target/debug/examples/make_granules target/polars/granules
	target/debug/isdb --db target/polars/atl08.isdb ingest target/polars/granules
	$(CARGO) run --features polars --example polars -- target/polars/atl08.isdb

# The tests of tests/it/surface.rs, whose expected output is replaced by the present one: review the difference with git.
snapshots:
	$(CARGO) build $(BUILD)
	INSTA_UPDATE=always $(CARGO) test --workspace --lib --bins --tests -- surface:: sqllogic::

# Runs libFuzzer on one target, in a separate build. Inputs that fail are written to target/fuzz/found; add them to the corpus.
TARGET ?= granule_decode
FUZZ_SECONDS ?= 600
FUZZ_CORPUS = $(CURDIR)/tests/fuzz/corpus/$(patsubst granule_%,granule,$(TARGET))
FUZZ_WORDS = $(wildcard $(CURDIR)/tests/fuzz/$(TARGET).dict)
fuzz:
	@mkdir -p target/fuzz/found target/fuzz/corpus/$(TARGET)
	FUZZ_TARGET=$(TARGET) RUSTC_WRAPPER=$(CURDIR)/tests/fuzz/instrument \
		$(CARGO) test --workspace --test fuzz --features isdb-fuzz/libfuzzer --target-dir target/fuzz -- \
		-max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix=$(CURDIR)/target/fuzz/found/$(TARGET)- $(FUZZ_WORDS:%=-dict=%) $(CURDIR)/target/fuzz/corpus/$(TARGET) $(FUZZ_CORPUS)

$(PYTHON_PACKAGES)/.installed: tests/python/requirements.txt
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target $(PYTHON_PACKAGES) --upgrade -r $<
	@touch $@

check: fmt clippy docs typos style public-api deny unused

fmt:
	$(CARGO) fmt --all --check

# Also denies what needs a newer Rust than rust-version in Cargo.toml (clippy::incompatible_msrv).
clippy:
	$(CARGO) clippy $(BUILD) --bench '*' -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items

typos: $(TOOLS)/typos/bin/typos
	$(TOOLS)/typos/bin/typos

# Words, import cycles, type names, file lengths.
style:
	$(PYTHON) tests/style/check.py

# The public items of the published crates, compared with docs/reference/public-api.txt.
public-api:
	$(PYTHON) tests/style/public_items.py

deny: $(TOOLS)/bin/cargo-deny
	$(TOOLS)/bin/cargo-deny --offline check bans licenses sources

# Dependencies that no source file names.
unused: $(TOOLS)/bin/cargo-machete
	$(TOOLS)/bin/cargo-machete --with-metadata

# CI compiles with the oldest Rust that Cargo.toml promises; a newer one would not notice what that lacks.
msrv:
	@promised=$$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml); used=$$($(CARGO) --version | cut -d ' ' -f 2); \
	case $$used in $$promised | $$promised.*) ;; \
	*) echo "expected Rust $$promised (rust-version in Cargo.toml), found $$used" >&2; exit 1 ;; esac

$(TOOLS)/typos/bin/typos:
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target $(TOOLS)/typos typos==1.52.0

$(TOOLS)/bin/cargo-deny:
	$(CARGO) install --quiet --locked --debug --root $(TOOLS) cargo-deny@0.20.2

$(TOOLS)/bin/cargo-machete:
	$(CARGO) install --quiet --locked --debug --root $(TOOLS) cargo-machete@0.9.1

clean-demo:
	rm -rf $(DEMO)
