# make demo   makes an example catalogue, mixes its session, masters it all, and says where to look
# make test   format, lint, types, floors, tests
# make cluster-test   brings up Flink on this machine and masters on it, also after a kill; needs Java and Maven
# All make their own virtual environment; they need Python 3.10 or newer and a package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo
TESTS ?= -m "not slow"

.PHONY: demo test cluster-test check clean

demo: $(VENV)/.lathe
	@test -f $(DEMO)/catalogue/manifest.csv || $(BIN)/python examples/make_catalogue.py $(DEMO)/catalogue
	@$(BIN)/lathe run $(DEMO)/catalogue/manifest.csv $(DEMO)/output --versions instrumental,acappella; status=$$?; \
	test $$status -le 1 || exit $$status; \
	$(BIN)/python examples/where_to_look.py $(DEMO)/output

test: check
	$(BIN)/pytest -n 2 --dist loadfile $(TESTS)

cluster-test: $(VENV)/.test
	CLUSTER_TEST=1 $(BIN)/pytest -v tests/deploy

check: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

clean:
	rm -rf $(VENV) $(DEMO) build *.egg-info .*_cache

$(VENV)/.lathe: setup.py
	$(PYTHON) -c 'import sys; sys.exit("Lathe needs Python 3.10 or newer") if sys.version_info < (3, 10) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/.test: $(VENV)/.lathe
	$(BIN)/pip install --quiet --editable ".[docs,test]"
	touch $@
