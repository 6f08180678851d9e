# Short names for the scripts that do the work; nothing needs make.

PY := .venv/bin/python

.PHONY: env dev check bench fuzz torture news docs package deb lock clean

env:         ## .venv with the angarium command
	@tools/env run
dev:         ## ... and the tools of the checks
	@tools/env dev
check: dev   ## every check
	@tools/check
bench: dev   ## relay rate beside Postfix, latencies, depth, crowds; 25 minutes, make bench QUICK=1: four
	$(PY) -m benchmarks $(if $(QUICK),--quick)
fuzz: dev    ## property tests, long
	HYPOTHESIS_PROFILE=thorough .venv/bin/pytest -n auto -q -m "not slow"
torture: dev ## proofs of durability, long form; ROUNDS=3 is three times as long
	ANGARIUM_ROUNDS=$(or $(ROUNDS),1) .venv/bin/pytest -n auto -q -m torture
news: env    ## news/ into CHANGELOG.md
	$(PY) tools/news.py
docs: dev    ## the manual, into site/
	.venv/bin/zensical build --clean
package: env ## dist/: a wheel with units, timers and configurations, and what it needs by hash
	$(PY) -m hatchling build -t wheel -d dist
	cp requirements.lock dist/
deb: env     ## dist/: a package for the Debian or Ubuntu of this machine; tools/package_try tries it
	$(PY) tools/package.py
lock:        ## new versions into the locks; needs uv
	tools/lock
clean:       ## what can be made again
	rm -rf .venv site dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
