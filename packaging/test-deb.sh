#!/usr/bin/env bash
# Installs the Debian package, tries what it promises, and removes it; all of that for real, so it
# needs root and a machine where psp2psa is not installed:
#
#   packaging/test-deb.sh target/dist/psp2psa_*.deb
#
# It wants kubectl, man-db, bash-completion, zsh and fish; with lintian it asks that too.
set -euo pipefail
package=$(realpath "$1")
export LC_ALL=C.UTF-8

fail() { printf 'error: %s\n' "$1" >&2; exit 1; }
# holds TEXT PART: whether one holds the other.
holds() { case $1 in *"$2"*) ;; *) fail "no '$2' in: $1" ;; esac; }

if dpkg -s psp2psa >/dev/null 2>&1; then fail "psp2psa is installed already"; fi
version=$(dpkg-deb --field "$package" Version)
version="psp2psa ${version%-*}"

# Slim images leave man pages and documents out.
dpkg --path-include='/usr/share/man/*' --path-include='/usr/share/doc/*' --install "$package"
list=$(dpkg -L psp2psa)
trap 'dpkg --purge psp2psa' EXIT

cd /
[ "$(psp2psa --version)" = "$version" ] || fail "psp2psa --version"
[ "$(kubectl psp2psa --version)" = "kubectl $version" ] || fail "kubectl psp2psa --version"
holds "$(kubectl plugin list 2>/dev/null)" /usr/bin/kubectl-psp2psa
holds "$(kubectl_complete-psp2psa pol)" policies

for command in $(psp2psa --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'); do
  if [ "$command" = help ]; then continue; fi
  [ "$(man -w "psp2psa-$command")" = "/usr/share/man/man1/psp2psa-$command.1.gz" ] || fail "man -w $command"
  warnings=$(man --warnings "psp2psa-$command" 2>&1 >/dev/null)
  [ -z "$warnings" ] || fail "man psp2psa-$command: $warnings"
done
for page in psp2psa kubectl-psp2psa; do
  holds "$(MANWIDTH=80 man "$page")" "EXIT STATUS"
done

# Each shell finds the completion by itself, where the distribution has its place for it.
# shellcheck disable=SC2016
holds "$(bash --norc -c '
  . /usr/share/bash-completion/bash_completion
  _completion_loader psp2psa
  COMP_WORDS=(psp2psa plan --pss) COMP_CWORD=2
  words=($(complete -p psp2psa)) at=0
  while [ "${words[at]}" != -F ]; do at=$((at + 1)); done
  "${words[at + 1]}" psp2psa --pss plan
  echo "${COMPREPLY[@]}"')" --pss-version
# The function completes for the system of zsh, which needs a terminal; so it is asked in one.
# shellcheck disable=SC2016
holds "$(zsh -f -c '
  zmodload zsh/zpty
  zpty shell "TERM=dumb zsh -f -i"
  zpty -w shell "autoload -U compinit; compinit -u -D; PS1=; zstyle \":completion:*\" list-colors"
  zpty -w -n shell "psp2psa pol"$'\''\t'\''; sleep 3
  zpty -r -t shell text; while zpty -r -t shell more; do text+=$more; done
  print -r -- $text; zpty -d shell')" "psp2psa policies"
holds "$(HOME=/nonexistent fish -c 'complete -C "psp2psa plan --pss"')" --pss-version
holds "$(HOME=/nonexistent fish -c 'complete -C "psp2psa pol"')" policies

if command -v lintian >/dev/null 2>&1; then
  # Who tries it out is no maintainer.
  lintian --allow-root --fail-on error,warning "$package" \
    --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog,root-in-contact
fi

trap - EXIT
dpkg --purge psp2psa
while read -r path; do
  # Directories of others stay; a file or a link of its own must not, nor its own directory.
  if [ -L "$path" ] || [ ! -d "$path" ] || [[ $path == */psp2psa ]]; then
    if [ -e "$path" ] || [ -L "$path" ]; then fail "$path is still there"; fi
  fi
done <<<"$list"
if dpkg -s psp2psa >/dev/null 2>&1; then fail "dpkg still knows psp2psa"; fi
hash -r
if command -v psp2psa kubectl-psp2psa >/dev/null; then fail "it can still be run"; fi
printf '%s: installed, run and removed\n' "${package##*/}"
