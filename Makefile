# Everything a fresh machine with git, make and some Python needs. `make install` is quick when nothing changed.
.PHONY: install demo test lint types imports evaluation benchmarks clean
SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed

install: $(STAMP)

$(STAMP): pyproject.toml requirements.txt
	@set -e; \
	if ! $(PY) -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then \
	  found=; \
	  for candidate in python3.13 python3.12 python3 python "$$HOME"/.pyenv/versions/3.1[2-9]*/bin/python; do \
	    if "$$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; then found=$$candidate; break; fi; \
	  done; \
	  if [ -n "$$found" ]; then "$$found" -m venv --clear $(VENV); \
	  elif uv --version >/dev/null 2>&1; then uv venv --clear --seed --python '>=3.12' $(VENV); \
	  else echo 'make: no Python >= 3.12 found. Install one (for example: apt install python3.12 python3.12-venv, or uv python install 3.12) and run make again.' >&2; exit 1; fi; \
	fi; \
	if uv --version >/dev/null 2>&1; then uv=uv; else \
	  uv=$(VENV)/bin/uv; [ -x $$uv ] || $(PY) -m pip install --quiet --disable-pip-version-check uv; \
	fi; \
	echo 'installing the pinned dependencies into $(VENV) (about 2 GB; under a minute on a good line)'; \
	$$uv pip install --quiet --compile-bytecode --python $(PY) --constraint requirements.txt --editable '.[marin,ray,claude,web,s3,gs,dev]'; \
	$(PY) -m compileall -q marin_research curator; \
	touch $(STAMP)

demo: install
	@$(PY) -m experiments.demo

lint: install
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: install
	$(VENV)/bin/mypy

imports: install
	$(VENV)/bin/lint-imports

# Files of tests side by side: most of the time they wait for programs, clusters and browsers to start.
test: lint types imports
	$(PY) -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder

evaluation: install
	$(PY) -m tests.evaluation

benchmarks: install
	@for file in tests/benchmarks/bench_*.py; do echo "== $$file"; $(PY) $$file; done

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis demo
