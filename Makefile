# Two commands: `make demo` shows what pixpress does, `make test` checks everything.
# Both install what is missing, and work from a clean clone on Debian 12 and any number of times.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.NOTPARALLEL:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
JOBS ?= $(shell nproc)
CXX_FILES := git ls-files 'csrc/*.cc' 'csrc/*.h' 'tests/native/*.cc' 'tests/native/*.h' \
  'benchmarks/native/*.cc' 'tests/fuzz/*.cc' 'tests/fuzz/*.h'
# Another clone of the same sources finds the same compiler cache.
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := true
# setup.py takes them too; with other options the compiler cache would not know the core again.
export CMAKE_ARGS ?= -DPIXPRESS_WARNINGS_ARE_ERRORS=ON

.PHONY: help demo test lint native asan fuzz tsan python bench compare wheel format clean stress packages install

help:
	@echo "make demo    compress the samples of tests/data and show the savings"
	@echo "make test    every check: lint, types, layers, sizes, native and Python tests"
	@echo "parts of it: lint native asan tsan python"
	@echo "make fuzz    20,000 damaged images for each decoder, other ones with SEED=2 INPUTS=100000"
	@echo "make stress  the long tests"
	@echo "make wheel   build and repair a wheel, and test it in an empty environment"
	@echo "make bench   the benchmarks, with the peers that are there; PHOTOS=<folder> of your own"
	@echo "make compare write docs/comparison.md anew; PHOTOS, GRAPHICS, ANIMATIONS=<folders>"
	@echo "make format  format all sources;  make clean removes all that was built"

packages:
	@.ci/install_packages.sh $(PYTHON)

install: packages
	@.ci/install_python.sh $(PYTHON) $(VENV)

lint: install
	$(CXX_FILES) | xargs clang-format --dry-run -Werror
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy --strict src/pixpress tests/typing
	$(VENV)/bin/python .ci/check_layers.py csrc
	$(VENV)/bin/python .ci/check_sizes.py csrc src tests benchmarks examples .ci setup.py

native: packages
	cmake -S csrc -B build/release -G Ninja $(CMAKE_ARGS) >/dev/null
	ninja -C build/release -j $(JOBS) --quiet
	ctest --test-dir build/release --output-on-failure --no-tests=error -j $(JOBS)

asan: packages
	cmake -S csrc -B build/asan -G Ninja $(CMAKE_ARGS) -DPIXPRESS_SANITIZE=address \
	  -DPIXPRESS_FUZZ=ON -DPIXPRESS_FUZZ_RUNS=10000 -DPIXPRESS_FUZZ_SEED=1 >/dev/null
	ninja -C build/asan -j $(JOBS) --quiet
	ctest --test-dir build/asan --output-on-failure --no-tests=error -j $(JOBS)

# INPUTS mutated images of each target, and of each lossless format against Pillow; SEED chooses
# others.
INPUTS ?= 20000
SEED ?= 1
fuzz: install
	@cmake -S csrc -B build/asan -G Ninja -DPIXPRESS_SANITIZE=address -DPIXPRESS_FUZZ=ON >/dev/null
	targets=$$(ctest --test-dir build/asan -N -L fuzz | grep -oE '[a-z_]+_fuzz' | sort -u)
	ninja -C build/asan -j $(JOBS) --quiet $$targets
	for target in $$targets; do
	  seeds=$${target%%_*}; [ "$$seeds" != probe ] || seeds=all
	  echo "$$target, seed $(SEED)"
	  build/asan/$$target --generated "$$seeds" --seed $(SEED) --mutate $(INPUTS)
	done
	echo "pixels against Pillow, seed $(SEED)"
	$(VENV)/bin/python tests/fuzz/differential.py --inputs $(INPUTS) --seed $(SEED)

# Only layers that have threads. GCC 12's ThreadSanitizer wants addresses that are not random.
tsan: packages
	@cmake -S csrc -B build/tsan -G Ninja $(CMAKE_ARGS) -DPIXPRESS_SANITIZE=thread >/dev/null
	threaded=$$(ctest --test-dir build/tsan -N | grep -oE '(memory|sched|observe|store|isolation|engine)_test')
	ninja -C build/tsan -j $(JOBS) --quiet $$threaded
	fixed=""; if setarch -R true 2>/dev/null; then fixed="setarch -R"; fi
	$$fixed ctest --test-dir build/tsan --output-on-failure --no-tests=error \
	  -R "^($$(paste -sd'|' <<<"$$threaded"))$$"

# The Pythons beside the main one come first, so that the last line is the main one's. They share the
# core, so they run what is about the binding and the API; formats and the specification run once.
python: install
	@for other in $$(.ci/other_pythons.sh $(PYTHON)); do
	  version=$$("$$other" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
	  echo "Python $$version"
	  .ci/install_python.sh "$$other" "$(VENV)-$$version"
	  "$(VENV)-$$version/bin/python" -m pytest -q tests/python src/pixpress
	done
	echo "$$($(VENV)/bin/python -V)"
	$(VENV)/bin/python -m pytest -q

test: lint native asan tsan python

# What takes too long for every change.
stress: install
	$(VENV)/bin/python -m pytest -q -m long

demo: install
	@$(VENV)/bin/python .ci/demo.py tests/data out/demo

wheel: packages
	@.ci/install_python.sh $(PYTHON) $(VENV)
	.ci/wheel.sh $(VENV)

PHOTOS ?= tests/data
SCALE ?= 0.1
NATIVE_BENCHES := resize_bench task_queue_bench worker_pool_bench
bench: install
	cmake -S csrc -B build/release -G Ninja -DPIXPRESS_BENCHMARKS=ON >/dev/null
	ninja -C build/release -j $(JOBS) --quiet $(NATIVE_BENCHES)
	for name in $(NATIVE_BENCHES); do build/release/$$name; done
	$(VENV)/bin/python -m pytest benchmarks/bench_*.py --photos "$(PHOTOS)" \
	  --scale "$(SCALE)" --benchmark-columns=median

GRAPHICS ?= tests/data
ANIMATIONS ?= tests/data
compare: install
	@$(VENV)/bin/python benchmarks/compare.py --photos $(PHOTOS) --graphics $(GRAPHICS) \
	  --animations $(ANIMATIONS) --out docs

format: install
	$(CXX_FILES) | xargs clang-format -i
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

clean:
	rm -rf build dist out $(VENV) $(VENV)-3.* src/pixpress.egg-info src/pixpress/*.so src/pixpress/_worker
