# SPDX-License-Identifier: Apache-2.0
# docs/, contrib/: what `make install` puts beside the program

dist_man_MANS = \
	docs/man/kavach-attest.1 \
	docs/man/kavach-audit.7 \
	docs/man/kavach-broker.7 \
	docs/man/kavach-presets.7 \
	docs/man/kavach-rules.5 \
	docs/man/kavach-secrets.7 \
	docs/man/kavach-snp.7 \
	docs/man/kavach-vm.7 \
	docs/man/kavach.1

bashcompletiondir = $(datarootdir)/bash-completion/completions
dist_bashcompletion_DATA = \
	contrib/completion/kavach

hookfilesdir = $(docdir)/hooks
dist_hookfiles_DATA = \
	contrib/hooks/kavach-audit-createRuntime.json \
	contrib/hooks/kavach-audit-poststart.json \
	contrib/hooks/kavach-audit-poststop.json

rulesdir = $(docdir)/rules
dist_rules_DATA = \
	contrib/rules/10-baseline.json \
	contrib/rules/20-teams.json \
	contrib/rules/30-users.json \
	contrib/rules/40-secrets.json \
	contrib/rules/80-audit.json \
	contrib/rules/90-vm.json

schemadir = $(datarootdir)/kavach
dist_schema_DATA = \
	contrib/rules.schema.json

enginesdir = $(docdir)/engines
dist_engines_DATA = \
	contrib/engines/containerd.toml \
	contrib/engines/crio.conf \
	contrib/engines/docker-daemon.json \
	contrib/engines/podman/50-kavach.conf \
	contrib/engines/runtimeclass.yaml
