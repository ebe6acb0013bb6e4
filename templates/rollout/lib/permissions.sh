# May the user do what the steps do?
# shellcheck shell=sh disable=SC2154 # variables of lib/step.sh

# may VERB RESOURCE: asks the server, and notes what it denies
may() {
  case $2 in podsecuritypolicies.*) has_psp || return 0 ;; esac
  k auth can-i "$1" "$2" --all-namespaces --quiet || printf '%s %s\n' "$1" "$2" >>"$work/denied"
}

need_permissions() {
  [ -s "$work/denied" ] || { say "the permissions are there"; return 0; }
  cat "$work/denied" >&2
  [ "$forces" = yes ] || die "you may not do the above, which some step does; see --force"
}
