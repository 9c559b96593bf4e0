# SPDX-License-Identifier: Apache-2.0
#
# tests/: `make check` runs everything but what needs container engines or a guest or builds the tree again;
# check-all runs that too. The runner counts; automake's own test driver is not used.

TEST_ENV = KAVACH_SRC='$(abs_srcdir)' KAVACH_BUILD='$(abs_builddir)' \
	KAVACH='$(abs_builddir)/kavach$(EXEEXT)' READELF='$(READELF)'
if INSTRUMENTED
TEST_ENV += KAVACH_INSTRUMENTED=1
endif
RUN_TESTS = $(TEST_ENV) $(srcdir)/tests/run
CHECK_KINDS = golden lint bats

test_programs = $(unit_programs) $(fuzz_programs)
if SCOPE
test_programs += $(scope_tests)
endif

# kavach on a machine with SEV-SNP that is not at hand: only its word for the hardware is a test's
EXTRA_PROGRAMS += kavach-on-snp
CLEANFILES += kavach-on-snp
kavach_on_snp_SOURCES = $(kavach_SOURCES) tests/tools/on_snp.c
kavach_on_snp_LDADD = $(kavach_LDADD)

# which programs belong to this build: stale ones of an earlier list may lie beside them
tests/programs: Makefile $(test_programs)
	@$(MKDIR_P) tests
	$(AM_V_GEN)printf '%s\n' $(test_programs) >$@

check-build: all tests/programs kavach-on-snp$(EXEEXT)

check-local: check-build
	$(RUN_TESTS) programs $(CHECK_KINDS)

check-all: check-build
	$(RUN_TESTS) programs golden lint slow bats engines vm

# what can be tested without the finished programs, for working on a single layer
check-unit: $(unit_programs)
	$(RUN_TESTS) $(unit_programs)

# rewrites the sources as .clang-format says
format:
	cd $(srcdir) && find runtime spec hooks tests -name '*.[ch]' -exec clang-format -i {} +

# adds new files to the lists of sources
lists:
	cd $(srcdir) && tests/lint/sources --update

.PHONY: check-build check-all check-unit format lists
CLEANFILES += tests/programs
# tests/bench and tests/vm: where they are
EXTRA_DIST += tests/run tests/skips.allow tests/lint tests/golden tests/bats tests/fuzz tests/tools tests/vectors \
	$(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/tests/bench/* $(srcdir)/tests/vm/*))
