# SPDX-License-Identifier: Apache-2.0
# tests/fuzz/: written by `tests/lint/sources --update`, below. Each target is linked with replay.c, which
# runs it over its corpus; `make fuzzers` links it with libFuzzer (clang) into tests/fuzz/lf_NAME.

FUZZ_CC = clang
FUZZ_CFLAGS = -std=gnu11 -D_GNU_SOURCE -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

fuzzers: $(fuzz_programs)
	for t in $(fuzz_programs); do \
		$(FUZZ_CC) $(FUZZ_CFLAGS) -I$(srcdir)/runtime -I$(srcdir) $(KAVACH_LIBS_CFLAGS) \
			-o tests/fuzz/lf_$${t#tests/fuzz/fuzz_} $(srcdir)/$$t.c \
			$(fuzz_sources:%=$(srcdir)/%) $(KAVACH_LIBS) || exit 1; \
	done

# what decides; the code that acts has side effects that no fuzzer should have
fuzz_sources = $(filter %.c,$(libkv_base_a_SOURCES) $(libkv_json_a_SOURCES) $(libkv_spec_a_SOURCES) \
	$(libkv_policy_a_SOURCES))
.PHONY: fuzzers

fuzz_programs =
EXTRA_PROGRAMS += $(fuzz_programs)
CLEANFILES += $(fuzz_programs)
EXTRA_DIST +=
