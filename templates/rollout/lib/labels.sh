# How are namespaces labelled, wave by wave, and how do they get back what they had?
# shellcheck shell=sh disable=SC2154 # variables of lib/step.sh

prefix=pod-security.kubernetes.io
tab=$(printf '\t')
this_wave=
shows_only=no

# read_namespace NAME: the namespace as lines: @ with its resource version, = with its uid, then its
# labels; false where there is none
read_namespace() {
  # shellcheck disable=SC2016 # the template's own variables
  k get namespace "$1" --ignore-not-found -o 'go-template=@{{.metadata.resourceVersion}}{{"\n"}}={{.metadata.uid}}{{"\n"}}{{range $key, $value := .metadata.labels}}{{$key}}={{$value}}{{"\n"}}{{end}}' >"$work/namespace" ||
    die "namespace $1 cannot be read"
  [ -s "$work/namespace" ]
}

# now_of KEY: KEY=VALUE as the namespace that was read last has it, or KEY- where it has none
now_of() {
  sed -n "s#^$prefix/$1=#$1=#p" "$work/namespace" | grep . || printf '%s-\n' "$1"
}

with_prefix() {
  words=
  for word in "$@"; do words="$words $prefix/$word"; done
}

# wave N TOTAL: what follows is wave N
wave() {
  flush
  [ -z "$last_wave" ] || [ "$1" -le "$last_wave" ] || {
    say "stopped after wave $last_wave of $2, as asked for; run it again to go on"
    exit 0
  }
  this_wave="wave $1 of $2"
}

# label NAMESPACE KEY=VALUE...: sets labels, without their prefix, when the wave is complete
label() {
  printf '%s\n' "$*" >>"$work/wave"
}

# flush: carries out the wave
flush() {
  [ -s "$work/wave" ] || return 0
  each try <"$work/wave"
  if [ "$mode" = change ] && [ -s "$work/todo" ]; then
    ask "$(wc -l <"$work/todo" | tr -d ' ')"
    each set_labels <"$work/todo"
  fi
  rm -f -- "$work/wave" "$work/todo"
}

# each FUNCTION: calls it with the words of every line
each() {
  while read -r line <&3; do
    # shellcheck disable=SC2086 # names and labels are words without metacharacters
    "$1" $line
  done 3<&0 </dev/null
}

# ask COUNT: whether so many namespaces of this wave are to be changed; only on a terminal
ask() {
  [ "$asks" = yes ] && [ "$mode" = change ] && [ -n "$this_wave" ] && [ -t 0 ] && [ -t 2 ] || return 0
  printf '%s: %s namespaces. Go on? [y/N] ' "$this_wave" "$1" >&2
  read -r answer || answer=
  case $answer in
    y | Y | yes) ;;
    *)
      say "stopped before $this_wave; run it again to go on"
      exit 0
      ;;
  esac
}

# try NAMESPACE KEY=VALUE...: lets the server judge labels, and puts the namespace on the list
try() {
  line=$*
  namespace=$1
  shift
  if ! read_namespace "$namespace"; then
    say "$namespace: is gone, left out"
    return 0
  fi
  differs=no
  for wanted in "$@"; do
    now=$(now_of "${wanted%%=*}")
    [ "$now" != "$wanted" ] || continue
    differs=yes
    is_known "$namespace" "$now" || [ "$forces" = yes ] ||
      die "$namespace: has $now, which is neither from the plan nor from this rollout; plan again, or see --force"
  done
  if [ "$differs" = no ]; then
    say "$namespace: has $* already"
    return 0
  fi
  with_prefix "$@"
  # shellcheck disable=SC2086 # words without metacharacters
  k label --dry-run=server --overwrite namespace "$namespace" $words >"$work/out" 2>&1 ||
    die_of_answer "$namespace: the server refuses $*"
  heed_warnings "$namespace"
  [ "$mode" = change ] || say "$namespace: takes $*"
  printf '%s\n' "$line" >>"$work/todo"
}

# is_known NAMESPACE KEY=VALUE|KEY-: whether the plan has seen it so, or this rollout has made it so
is_known() {
  grep -qxF -- "$1 $2" "$data/labels" && return 0
  if [ -f "$state/labels" ] && grep -qxF -- "$1 $2" "$state/labels"; then return 0; fi
  # A label that the plan has not seen was not there.
  case $2 in *-) ! grep -q -- "^$1 ${2%-}=" "$data/labels" ;; *) return 1 ;; esac
}

# heed_warnings NAMESPACE: shows what the server warns of, and stops where the plan did not foresee it
heed_warnings() {
  sed -n 's/^Warning: //p' "$work/out" >"$work/warnings"
  while IFS= read -r warning; do
    say "$1: the server warns: $warning"
    case $warning in
      "existing pods in namespace "* | "new PodSecurity enforce level only checked against the first "*) continue ;;
    esac
    # Names and numbers of pods may differ, what they violate may not.
    [ "$shows_only" = yes ] || [ "$forces" = yes ] ||
      grep -qxF -- "$1$tab${warning#*: }" "$data/warnings" ||
      die "$1: the plan did not foresee that; plan again, or see --force"
  done <"$work/warnings"
}

set_labels() {
  namespace=$1
  shift
  n_tries=0
  while :; do
    read_namespace "$namespace" || die "$namespace: is gone"
    remember "$namespace" "$@"
    with_prefix "$@"
    version=$(sed -n 's/^@//p' "$work/namespace")
    # shellcheck disable=SC2086 # words without metacharacters
    if k label --overwrite --resource-version="$version" namespace "$namespace" $words >"$work/out" 2>&1; then
      break
    fi
    # Somebody has changed the namespace in this moment: what it is now is looked at again.
    n_tries=$((n_tries + 1))
    if [ $n_tries -ge 5 ] || ! grep -q -e Conflict -e 'object has been modified' "$work/out"; then
      die_of_answer "$namespace: not labelled; what was done so far stays, and running this again goes on"
    fi
  done
  say "$namespace: $*"
}

# remember NAMESPACE KEY=VALUE...: records what is there, unless it is recorded already, and what is
# to be set; stops where that is something unknown
remember() {
  record=$own/namespace.$1
  of=$1
  shift
  mkdir -p "$own"
  for word in "$@"; do
    now=$(now_of "${word%%=*}")
    [ "$now" = "$word" ] || is_known "$of" "$now" || [ "$forces" = yes ] ||
      die "$of: somebody has set $now in this moment"
    printf '%s %s\n' "$of" "$word" >>"$state/labels"
  done
  {
    if [ -f "$record" ]; then
      cat "$record"
    else
      sed -n 's/^=/uid /p' "$work/namespace"
    fi
    for word in "$@"; do
      key=${word%%=*}
      if [ ! -f "$record" ] || ! grep -q -e "^was $key=" -e "^was $key-\$" "$record"; then
        printf 'was %s\n' "$(now_of "$key")"
      fi
      printf 'set %s\n' "$word"
    done
  } >"$record.new"
  mv -- "$record.new" "$record"
}

# restore_labels: every namespace that is recorded gets back what it had
restore_labels() {
  for record in "$own"/namespace.*; do
    case $record in *'*' | *.new) continue ;; esac
    restore "${record##*/namespace.}"
    [ "$mode" = dry-run ] || rm -- "$record"
  done
}

restore() {
  if ! read_namespace "$1" || ! grep -qxF -- "=$(sed -n 's/^uid //p' "$record")" "$work/namespace"; then
    say "$1: is gone, left out"
    return 0
  fi
  sed -n 's/^was //p' "$record" >"$work/was"
  differs=no
  while read -r was; do
    key=${was%%=*}
    now=$(now_of "${key%-}")
    [ "$now" != "$was" ] || continue
    differs=yes
    grep -qxF -- "set $now" "$record" || [ "$forces" = yes ] ||
      die "$1: has $now, which this rollout did not set; see --force"
  done <"$work/was"
  [ "$differs" = yes ] || return 0
  if [ "$mode" = dry-run ]; then
    say "$1: would get back $(tr '\n' ' ' <"$work/was")"
    return 0
  fi
  # shellcheck disable=SC2046 # words without metacharacters
  with_prefix $(cat "$work/was")
  # shellcheck disable=SC2086 # words without metacharacters
  k label --overwrite namespace "$1" $words >"$work/out" 2>&1 || die_of_answer "$1: not restored"
  say "$1: restored: $(tr '\n' ' ' <"$work/was")"
}
