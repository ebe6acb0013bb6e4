# How does a step begin and end, and what does it keep for its undoing?
# shellcheck shell=sh disable=SC2034 # the other files of lib read the options
set -eu
umask 077
LC_ALL=C
export LC_ALL

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
state=${PSP2PSA_STATE:-$here/state}
context=
mode=change
asks=yes
waits=yes
forces=no
last_wave=

usage() {
  cat <<END
usage: sh $(basename -- "$0") [options]
  --dry-run        ask the server what it would do, and change nothing
  --undo           restore what was there before this step
  --context NAME   use this context of the kubeconfig
  --yes            do not ask before each wave
  --wave N         stop after wave N
  --no-wait        do not wait for rollouts
  --force          go on where something has been changed since the plan
What was there before is kept in ${state}; PSP2PSA_STATE names another place.
END
}

say() {
  printf '%s\n' "$*"
  if [ -d "$state" ]; then printf '%s %s: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$step" "$*" >>"$state/log"; fi
}
die() {
  say "stopped: $*" >&2
  exit 1
}
k() { kubectl ${context:+--context "$context"} "$@"; }

# begin STEP "$@": reads the options, and sees to it that the cluster is the same as before
begin() {
  step=$1
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      --dry-run | --dry-run=server) mode=dry-run ;;
      --undo) mode=undo ;;
      --yes | -y) asks=no ;;
      --no-wait) waits=no ;;
      --force) forces=yes ;;
      --context=*) context=${1#*=} ;;
      --context | --wave)
        [ $# -gt 1 ] || { usage >&2; exit 2; }
        if [ "$1" = --wave ]; then last_wave=$2; else context=$2; fi
        shift
        ;;
      --wave=*) last_wave=${1#*=} ;;
      -h | --help) usage; exit 0 ;;
      *) usage >&2; exit 2 ;;
    esac
    shift
  done
  case $last_wave in *[!0-9]*) usage >&2; exit 2 ;; esac
  command -v kubectl >/dev/null || die "kubectl is not installed"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  mkdir -p "$state"
  own=$state/$step
  cluster=$(k get namespace kube-system -o 'jsonpath={.metadata.uid}') ||
    die "the cluster cannot be asked; is the context right?"
  if [ -f "$state/cluster" ]; then
    [ "$(cat "$state/cluster")" = "$cluster" ] ||
      die "this is another cluster than the one that the rollout began on; see --context"
  else
    keep "$state/cluster" "$cluster"
  fi
  case $mode in
    change) say "step $step" ;;
    undo)
      say "undoing step $step"
      last=$step
      for done in "$state"/[0-9]-*; do
        if [ -d "$done" ]; then last=${done##*/}; fi
      done
      [ "${last%%-*}" -le "${step%%-*}" ] || die "undo $last first"
      ;;
  esac
}

# keep FILE TEXT: writes a whole file or none
keep() {
  printf '%s\n' "$2" >"$1.new"
  mv -- "$1.new" "$1"
}

# finish: the end of a step
finish() {
  case $mode in
    undo)
      rm -rf -- "$own"
      say "step $step is undone"
      ;;
    dry-run) say "step $step: nothing was changed" ;;
    *) say "step $step is done" ;;
  esac
}
