# Two commands do everything: `make demo` and `make test`. Both provision what they need and share one build profile.

CARGO ?= cargo
PYTHON ?= python3
GRANULES ?=
DEMO := demo
# Packages of the independent checks; they stay below target/.
PYTHON_PACKAGES := target/python-packages
TOOLS := target/tools
# A line for each skipped test of the last run.
SKIPPED := $(CURDIR)/target/skipped-tests
# What `make test-long` draws its random numbers from; the seed it printed repeats a run.
SEED ?= $(shell date +%s)
# What the demo needs; the tests need the same dependencies with the same features, so that nothing is built twice.
PROGRAM := --bins --examples
# The tests run the example that makes granules.
BUILD := --workspace --lib --bins --tests --examples

.PHONY: help demo test test-long fuzz check fmt clippy docs typos deny clean-demo

help:
	@echo "make demo                   build, generate granules, ingest them, query them (GRANULES=folder takes your own)"
	@echo "make test                   run the whole test suite"
	@echo "make test-long              run the same tests with large counts (SEED=number repeats a run)"
	@echo "make fuzz TARGET=geojson    fuzz one target (those in tests/fuzz/src/lib.rs) for FUZZ_SECONDS"
	@echo "make check                  format, clippy, docs, typos, licences"

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
	ISDB_TEST_SKIPS=$(SKIPPED) ISDB_TEST_PYTHON_PACKAGES=$(CURDIR)/$(PYTHON_PACKAGES) \
		$(CARGO) test --workspace --lib --bins --tests || { tests/skipped $(SKIPPED); exit 1; }
	$(CARGO) test --workspace --doc
	@tests/skipped $(SKIPPED)

# Time and seed first, so that a run that was cut short can be repeated as well.
test-long: SEED := $(SEED)
test-long:
	@echo "test-long: began $$(date -u +%Y-%m-%dT%H:%M:%SZ), SEED=$(SEED)"
	@if ISDB_TEST_LONG=1 ISDB_TEST_SEED=$(SEED) PROPTEST_CASES=2000 PROPTEST_RNG_SEED=$(SEED) $(MAKE) test; \
	then result=passed; else result=failed; fi; \
	echo "test-long: $$result, ended $$(date -u +%Y-%m-%dT%H:%M:%SZ), SEED=$(SEED)"; [ $$result = passed ]

# libFuzzer over one target, in a build of its own; what it finds is kept in target/fuzz/found, and belongs into the corpus.
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

check: fmt clippy docs typos deny

fmt:
	$(CARGO) fmt --all --check

clippy:
	$(CARGO) clippy $(BUILD) -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items

typos: $(TOOLS)/typos/bin/typos
	$(TOOLS)/typos/bin/typos

deny: $(TOOLS)/bin/cargo-deny
	$(TOOLS)/bin/cargo-deny --offline check bans licenses sources

$(TOOLS)/typos/bin/typos:
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target $(TOOLS)/typos typos==1.52.0

$(TOOLS)/bin/cargo-deny:
	$(CARGO) install --quiet --locked --debug --root $(TOOLS) cargo-deny@0.20.2

clean-demo:
	rm -rf $(DEMO)
