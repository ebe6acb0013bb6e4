#!/usr/bin/env bash
# Prints the notices of the crates that the program is linked with on a platform; their licences ask
# for that wherever the program is passed on:
#
#   packaging/notices.sh x86_64-unknown-linux-gnu
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C
shopt -s nullglob

cargo tree --locked --edges normal --prefix none --format '{p}|{l}' --target "$1" | sed 's/ (\*)$//' | sort -u |
  while IFS='|' read -r crate license; do
    case $crate in
      "psp2psa "* | *" (proc-macro)") continue ;;
    esac
    name=${crate% v*}
    version=${crate##* v}
    printf '%s\n%s %s, %s\n' "$(printf '=%.0s' {1..80})" "$name" "$version" "$license"
    for file in "${CARGO_HOME:-$HOME/.cargo}/registry/src"/*/"$name-$version"/*; do
      case ${file##*/} in
        # The text that this project is under too, and has beside this.
        *APACHE*) ;;
        LICENSE* | LICENCE* | COPYING* | COPYRIGHT* | NOTICE* | UNLICENSE*)
          if [ -f "$file" ]; then printf '\n-- %s\n\n' "${file##*/}"; cat "$file"; fi
          ;;
      esac
    done
  done
