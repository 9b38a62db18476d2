# Two commands: `make demo` shows what pixpress does, `make test` checks everything.
# Both install what is missing and work from a clean clone on Debian 12.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
JOBS := $(shell nproc)

.PHONY: help test demo lint format native asan tsan python clean packages

help:
	@echo "make demo    compress the samples in tests/data and show the savings"
	@echo "make test    every check: lint, types, layers, sizes, native and Python tests"
	@echo "make format  format all sources"

packages:
	.ci/install_packages.sh

$(VENV)/ready: pyproject.toml | packages
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install -q --upgrade pip
	$(VENV)/bin/pip install -q $$(.ci/list_requirements.py)
	touch $@

lint: $(VENV)/ready
	git ls-files 'csrc/*.cc' 'csrc/*.h' 'tests/native/*.cc' 'benchmarks/native/*.cc' | xargs clang-format --dry-run -Werror
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy src/pixpress
	$(VENV)/bin/python .ci/check_layers.py csrc
	$(VENV)/bin/python .ci/check_sizes.py csrc src

format: $(VENV)/ready
	git ls-files 'csrc/*.cc' 'csrc/*.h' 'tests/native/*.cc' 'benchmarks/native/*.cc' | xargs clang-format -i
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

native: packages
	cmake -S csrc -B build/release -G Ninja
	ninja -C build/release
	ctest --test-dir build/release --output-on-failure -j $(JOBS)

asan: packages
	cmake -S csrc -B build/asan -G Ninja -DPIXPRESS_SANITIZE=address
	ninja -C build/asan
	ctest --test-dir build/asan --output-on-failure -j $(JOBS)

tsan: packages
	cmake -S csrc -B build/tsan -G Ninja -DPIXPRESS_SANITIZE=thread
	ninja -C build/tsan memory_test sched_test engine_test
	ctest --test-dir build/tsan --output-on-failure -R 'memory_test|sched_test|engine_test'

python: $(VENV)/ready
	$(VENV)/bin/pip install -q --no-build-isolation --no-deps --force-reinstall .
	$(VENV)/bin/python -m pytest -q

test: lint native asan tsan python

demo: $(VENV)/ready
	$(VENV)/bin/pip install -q --no-build-isolation --no-deps --force-reinstall .
	$(VENV)/bin/pixpress compress tests/data -R -o out/demo --quality 80 --overwrite all
	$(VENV)/bin/python .ci/before_after.py tests/data out/demo out/demo/before_after.png

clean:
	rm -rf build out dist $(VENV) src/pixpress.egg-info
