# How are namespaces labelled, wave by wave, and how do they get back what they had?
# shellcheck shell=sh disable=SC2154 # variables of lib/step.sh

prefix=pod-security.kubernetes.io
tab=$(printf '\t')
data=$here/data

# read_labels: every namespace as a file, with its resource version and labels line by line
read_labels() {
  mkdir -p "$work/namespaces"
  # shellcheck disable=SC2016 # the template's own variables
  k get namespaces -o 'go-template={{range .items}}{{$name := .metadata.name}}{{$name}} @{{.metadata.resourceVersion}}{{"\n"}}{{range $key, $value := .metadata.labels}}{{$name}} {{$key}}={{$value}}{{"\n"}}{{end}}{{end}}' |
    awk -v dir="$work/namespaces" '
      $1 != last { if (last != "") close(dir "/" last); last = $1 }
      { name = $1; sub(/^[^ ]* /, ""); print > (dir "/" name) }'
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
  [ -d "$work/namespaces" ] || read_labels
  if [ "$mode" = undo ]; then
    each restore <"$work/wave"
  else
    each try <"$work/wave"
    if [ "$mode" = change ] && [ -s "$work/todo" ]; then
      ask "$(wc -l <"$work/todo" | tr -d ' ')"
      each set_labels <"$work/todo"
    fi
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
  [ "$asks" = yes ] && [ "$mode" = change ] && [ -n "${this_wave-}" ] && [ -t 0 ] && [ -t 2 ] || return 0
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

# now_of NAMESPACE KEY: KEY=VALUE as the namespace has it, or KEY- where it has none
now_of() {
  grep "^$prefix/$2=" "$work/namespaces/$1" | sed "s|^$prefix/||" | grep . || printf '%s-\n' "$2"
}

# try NAMESPACE KEY=VALUE...: lets the server judge labels, and puts the namespace on the list
try() {
  line=$*
  namespace=$1
  shift
  if [ ! -f "$work/namespaces/$namespace" ]; then
    say "$namespace: is gone, left out"
    return 0
  fi
  differs=no
  for wanted in "$@"; do
    now=$(now_of "$namespace" "${wanted%%=*}")
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
  k label --dry-run=server --overwrite namespace "$namespace" $words >"$work/out" 2>&1 || {
    cat "$work/out" >&2
    die "$namespace: the server refuses $*"
  }
  heed_warnings "$namespace"
  [ "$mode" = change ] || say "$namespace: takes $*"
  printf '%s\n' "$line" >>"$work/todo"
}

with_prefix() {
  words=
  for word in "$@"; do words="$words $prefix/$word"; done
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
    grep -qxF -- "$1$tab${warning#*: }" "$data/warnings" || [ "$forces" = yes ] ||
      die "$1: the plan did not foresee that; plan again, or see --force"
  done <"$work/warnings"
}

# remember NAMESPACE KEY...: keeps what is there now, unless it is kept already
remember() {
  record=$own/namespace.$1
  namespace=$1
  shift
  mkdir -p "$own"
  if [ ! -f "$record" ]; then
    keep "$record" "$(for key in "$@"; do now_of "$namespace" "$key"; done)"
  fi
}

set_labels() {
  namespace=$1
  shift
  # shellcheck disable=SC2046 # keys are words
  remember "$namespace" $(for word in "$@"; do printf '%s\n' "${word%%=*}"; done)
  for word in "$@"; do printf '%s %s\n' "$namespace" "$word" >>"$state/labels"; done
  with_prefix "$@"
  version=$(sed -n 's/^@//p' "$work/namespaces/$namespace")
  # shellcheck disable=SC2086 # words without metacharacters
  k label --overwrite --resource-version="$version" namespace "$namespace" $words >"$work/out" 2>&1 || {
    cat "$work/out" >&2
    die "$namespace: not labelled; what was done so far stays, and running this again goes on"
  }
  say "$namespace: $*"
}

# restore NAMESPACE KEY=VALUE...: puts back what was there before the step set these labels
restore() {
  namespace=$1
  shift
  record=$own/namespace.$namespace
  [ -f "$record" ] && [ -f "$work/namespaces/$namespace" ] || return 0
  for wanted in "$@"; do
    now=$(now_of "$namespace" "${wanted%%=*}")
    [ "$now" = "$wanted" ] || grep -qxF -- "$now" "$record" || [ "$forces" = yes ] ||
      die "$namespace: has $now, which this rollout did not set; see --force"
  done
  # shellcheck disable=SC2046 # words without metacharacters
  with_prefix $(cat "$record")
  # shellcheck disable=SC2086
  k label --overwrite namespace "$namespace" $words >"$work/out" 2>&1 || {
    cat "$work/out" >&2
    die "$namespace: not restored"
  }
  say "$namespace: restored: $(tr '\n' ' ' <"$record")"
}
