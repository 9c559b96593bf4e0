# SPDX-License-Identifier: Apache-2.0
# process/: the backend "process"

libkv_process_a_SOURCES =

# kavach-init is part of kavach: .incbin does not tell make about the file it reads.
runtime/process/stage_blob.$(OBJEXT): kavach-init
