# SPDX-License-Identifier: Apache-2.0
# tests/: make check runs everything that needs no container engine; check-engines the rest.

TEST_ENV = KAVACH_SRC='$(abs_srcdir)' KAVACH_BUILD='$(abs_builddir)' \
	KAVACH='$(abs_builddir)/kavach$(EXEEXT)' READELF='$(READELF)'
RUN_TESTS = $(TEST_ENV) $(srcdir)/tests/run

check-local: all
	$(RUN_TESTS) $(unit_programs) golden bats lint

check-unit: $(unit_programs)
	$(RUN_TESTS) $(unit_programs)

.PHONY: check-unit
