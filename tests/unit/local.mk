# SPDX-License-Identifier: Apache-2.0
# tests/unit/: written by `tests/lint/sources --update`. A test's second line may name the libraries
# that it links, `/* libs: base json */`; without it, all.

unit_programs =
EXTRA_PROGRAMS += $(unit_programs)
CLEANFILES += $(unit_programs)
EXTRA_DIST += \
	tests/unit/tap.h
