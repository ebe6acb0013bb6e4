#!/bin/sh
# How fast is the program on large clusters, beside a yardstick and other programs?
#
# One run makes the loads, measures everything and prints one Markdown table; `--help` says more.
set -eu

usage() {
  cat <<'END'
Usage: benches/scale.sh [--quick] [--only PARTS] [--help]

Builds the program and its measuring examples, makes dumps of made-up clusters in a temporary
directory, measures, removes them, and prints a Markdown table on standard output; what it is doing
goes to standard error. Takes some 10 minutes and 2 GB of disk; `--quick` some 3 minutes.

  --quick       leave out 200,000 pods, 1,000,000 lines, 10,000 namespaces, and slow peers
  --only PARTS  only these, separated by commas: main, peers, growth, wide, check, start, build
                (build is left out unless it is named: it builds everything anew, to time it)
  --help        print this

Environment, with the defaults:
  PODS=20000 NAMESPACES=500 WORKLOADS=3000 PSPS=40 RBAC=5000   the main load
  GROWTH="2000 20000 200000"                     pods of the growing load, smallest first
  WIDE_NAMESPACES=10000 WIDE_PSPS=200 WIDE_RBAC=50000 WIDE_PODS=20000   the wide load
  LINES=1000000     pods that `check` streams
  RUNS=5            runs of which the best counts; peers and the long parts run once
  PEER_SECONDS=300  when to give up on a peer
  BIN_DIR=          where psp2psa and examples/ are, instead of building them
  TMPDIR=/tmp       where the temporary directory is made

Needs GNU time for CPU and memory; without it, the table has wall time only.
END
}

quick=no
parts=main,peers,growth,wide,check,start
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=yes ;;
    --only)
      [ $# -gt 1 ] || { echo "--only needs a value" >&2; exit 2; }
      parts=$2
      shift
      ;;
    --help | -h)
      usage
      exit 0
      ;;
    *)
      echo "unknown argument $1; see --help" >&2
      exit 2
      ;;
  esac
  shift
done

: "${PODS:=20000}" "${NAMESPACES:=500}" "${WORKLOADS:=3000}" "${PSPS:=40}" "${RBAC:=5000}"
: "${WIDE_NAMESPACES:=10000}" "${WIDE_PSPS:=200}" "${WIDE_RBAC:=50000}" "${WIDE_PODS:=20000}"
: "${RUNS:=5}" "${PEER_SECONDS:=300}" "${BIN_DIR:=}" "${TMPDIR:=/tmp}"
if [ "$quick" = yes ]; then
  : "${GROWTH:=2000 20000}" "${LINES:=50000}"
else
  : "${GROWTH:=2000 20000 200000}" "${LINES:=1000000}"
fi

has_part() { case ",$parts," in *",$1,"*) true ;; *) false ;; esac; }
say() { printf '%s\n' "$*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }

cd "$(dirname "$0")/.."
work=$(mktemp -d "$TMPDIR/psp2psa-scale.XXXXXX")
# A run that is interrupted leaves nothing behind either.
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -z "$BIN_DIR" ]; then
  say "building"
  cargo build --quiet --release --locked --bins --examples
  BIN_DIR=${CARGO_TARGET_DIR:-target}/release
fi
bin=$(cd "$BIN_DIR" && pwd)
psp2psa=$bin/psp2psa
examples=$bin/examples
for program in "$psp2psa" "$examples/gen-cluster" "$examples/scan-json" "$examples/read-dump"; do
  [ -x "$program" ] || { say "$program is not there"; exit 4; }
done

gnu_time=
for program in time gtime; do
  path=$(command -v "$program" 2>/dev/null || true)
  # The shell's own `time` has no path.
  [ "$program" = time ] && [ ! -x "$path" ] && path=/usr/bin/time
  if [ -x "$path" ] && "$path" --version 2>&1 | grep -q GNU; then
    gnu_time=$path
    break
  fi
done
[ -n "$gnu_time" ] || say "GNU time is missing: CPU time and memory are not measured"

# Arithmetic on numbers with a point; `-` where one of them is missing.
calc() { awk "BEGIN { $1 }"; }

# The exit codes of a run that counts: of the program, findings and incomplete input too.
accepted="0 1 3"

# Runs a command once with nothing on its standard output, and prints its wall time, CPU time and peak
# memory in KB. A command that fails prints nothing, and what it said goes to standard error.
once() {
  status=0
  if [ -n "$gnu_time" ]; then
    "$gnu_time" -q -o "$work/time" -f '%e %U %S %M' "$@" >/dev/null 2>"$work/errors" || status=$?
    result=$(awk 'NF == 4 { print $1, $2 + $3, $4 }' "$work/time")
  else
    start=$(date +%s.%N)
    "$@" >/dev/null 2>"$work/errors" || status=$?
    end=$(date +%s.%N)
    result=$(calc "print $end - $start, \"-\", \"-\"")
  fi
  case " $accepted " in
    *" $status "*) echo "$result" ;;
    *)
      say "exit code $status of: $*"
      head -n 3 "$work/errors" >&2
      ;;
  esac
}

# As `once`, so many times; see `least`.
best() {
  n_runs=$1
  shift
  n=0
  while [ "$n" -lt "$n_runs" ]; do
    once "$@"
    n=$((n + 1))
  done | least
}

# Of runs on standard input: the least wall time, the least CPU time, and the most memory.
least() {
  awk '
    NR == 1 || $1 + 0 < wall + 0 { wall = $1 }
    NR == 1 || $2 + 0 < cpu + 0 { cpu = $2 }
    NR == 1 || $3 + 0 > memory + 0 { memory = $3 }
    END { if (NR) print wall, cpu, memory }'
}

size_of() { wc -c <"$1" | tr -d ' '; }

header() {
  echo "| what | wall s | CPU s | peak MB | MB/s | goal | measured | met |"
  echo "|---|--:|--:|--:|--:|---|---|---|"
}

# row WHAT "WALL CPU KB" BYTES GOAL MEASURED MET; `-` where there is none.
row() {
  awk -v what="$1" -v measured="$2" -v bytes="$3" -v goal="$4" -v value="$5" -v met="$6" 'BEGIN {
    n = split(measured, m, " ")
    if (n < 3) { m[1] = m[2] = m[3] = "-" }
    wall = m[1] == "-" ? "-" : sprintf("%.2f", m[1])
    cpu = m[2] == "-" ? "-" : sprintf("%.2f", m[2])
    memory = m[3] == "-" ? "-" : sprintf("%.0f", m[3] / 1024)
    rate = bytes == "-" || wall + 0 == 0 ? "-" : sprintf("%.0f", bytes / 1e6 / m[1])
    printf "| %s | %s | %s | %s | %s | %s | %s | %s |\n", what, wall, cpu, memory, rate, goal, value, met
  }'
}

wall_of() { echo "$1" | cut -d ' ' -f 1; }
cpu_of() { echo "$1" | cut -d ' ' -f 2; }
memory_of() { echo "$1" | cut -d ' ' -f 3; }

# Of numbers that may be missing, which gives `-`.
ratio() { calc "a = \"$1\"; b = \"$2\"; if (a ~ /^[0-9]/ && b + 0 > 0) printf \"%.2f\", a / b; else print \"-\""; }
mb_of() { ratio "$(memory_of "$1")" 1024; }
at_most() { calc "a = \"$1\"; print (a ~ /^-?[0-9]/ ? (a + 0 <= $2 ? \"yes\" : \"**no**\") : \"-\")"; }
at_least() { calc "a = \"$1\"; print (a ~ /^-?[0-9]/ ? (a + 0 >= $2 ? \"yes\" : \"**no**\") : \"-\")"; }

describe() {
  commit=$(git rev-parse --short HEAD 2>/dev/null || echo "not known")
  git diff --quiet HEAD 2>/dev/null || commit="$commit with changes"
  cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)
  cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo "?")
  load=$(cut -d ' ' -f 1 /proc/loadavg 2>/dev/null || echo "?")
  rust=$(rustc --version 2>/dev/null | cut -d ' ' -f 1,2)
  crates=$(cargo tree --locked -e normal --prefix none 2>/dev/null | sed 's/ (\*)$//' | sort -u | wc -l)
  echo "Commit $commit, ${rust:-rustc}; ${cpu:-CPU not known}, $cores cores, load $load at the start."
  echo "Binary of $(calc "printf \"%.1f\", $(size_of "$psp2psa") / 1e6") MB, $((crates)) crates."
  echo "Load: $PODS pods, $NAMESPACES namespaces, $WORKLOADS workloads, $PSPS policies, $RBAC RBAC objects."
  echo "Best of $RUNS runs: least wall time, least CPU time, most memory; peers and streams ran once."
  [ "$quick" = no ] || echo "A quick run: the long parts are left out."
  echo
}

# The generator, with the sizes of the main load; later flags count.
generate() {
  "$examples/gen-cluster" --namespaces "$NAMESPACES" --workloads "$WORKLOADS" --psps "$PSPS" \
    --rbac "$RBAC" --pods "$PODS" --seed 1 "$@"
}

# Makes the main load in a form, unless it is there.
load() {
  if [ ! -e "$work/load.$1" ]; then
    say "making load.$1"
    generate -o "$work/load.$1"
  fi
}

# Measures a form of the main load: the yardstick, whose command follows (`-` for none), the plan, and
# reading alone. They take turns, as the speed of a machine moves: measure FORM COMMAND…
measure() {
  form=$1
  shift
  load "$form"
  say "load.$form: $RUNS times the yardstick, the plan, reading alone"
  for runs in yardstick plan read; do : >"$work/$runs.runs"; done
  n=0
  while [ "$n" -lt "$RUNS" ]; do
    [ "$1" = - ] || once "$@" >>"$work/yardstick.runs"
    once "$psp2psa" plan -f "$work/load.$form" -o json >>"$work/plan.runs"
    once "$examples/read-dump" "$work/load.$form" >>"$work/read.runs"
    n=$((n + 1))
  done
  bytes=$(size_of "$work/load.$form")
  yardstick=$(least <"$work/yardstick.runs")
  planned=$(least <"$work/plan.runs")
  was_read=$(least <"$work/read.runs")
}

# The plan that was measured, beside its yardstick: plan_row GOAL NAME_OF_YARDSTICK
plan_row() {
  times=$(ratio "$(wall_of "$planned")" "$(wall_of "$yardstick")")
  row "\`plan -o json\`, $form" "$planned" "$bytes" "≤ $1 × $2" "$times ×" "$(at_most "$times" "$1")"
  memory_row "$planned"
}

# Megabytes in a second of the run that is given.
rate_of() { ratio "$bytes" "$(calc "print 1e6 * $(wall_of "${1:-0}")")"; }

# The memory of the row above.
memory_row() {
  memory=$(mb_of "$1")
  row "its memory" "- - -" - "≤ 64 MB" "$memory MB" "$(at_most "$memory" 64)"
}

main_part() {
  for form in json jsonl; do
    measure "$form" "$examples/scan-json" "$work/load.$form"
    row "yardstick: slurp and scan, $form" "$yardstick" "$bytes" "" "" ""
    plan_row 1.0 yardstick
    row "reading alone, $form" "$was_read" "$bytes" "" "" ""
    [ "$form" = json ] || continue
    # What is not reading: judging, and writing the plan.
    share=$(calc "a = \"$(ratio "$(wall_of "$was_read")" "$(wall_of "$planned")")\"
      if (a == \"-\") print a; else printf \"%.0f\", 100 * (1 - a)")
    row "\`plan -o json\` less reading, json" "- - -" - "≤ 15 % of the plan" "$share %" \
      "$(at_most "$share" 15)"
  done

  measure json.gz gzip -dc "$work/load.json.gz"
  row "yardstick: \`gzip -dc\`" "$yardstick" "$bytes" "" "" ""
  plan_row 0.6 gzip

  measure yaml -
  row "\`plan -o json\`, yaml" "$planned" "$bytes" "" "$(rate_of "$planned") MB/s" ""
  memory_row "$planned"
  rate=$(rate_of "$was_read")
  row "reading alone, yaml" "$was_read" "$bytes" "≥ 300 MB/s" "$rate MB/s" "$(at_least "$rate" 300)"
}

# Another program beside `scanned_wall`, which is the yardstick's time: peer_row NAME BYTES COMMAND…
peer_row() {
  name=$1 bytes=$2
  shift 2
  has "$1" || { say "$1 is not there"; return 0; }
  say "peer: $name"
  if has timeout; then set -- timeout "$PEER_SECONDS" "$@"; fi
  accepted=0
  result=$(once "$@")
  accepted="0 1 3"
  times=$(ratio "$(wall_of "$result")" "$scanned_wall")
  if [ "$times" = - ]; then times=; else times="$times × yardstick"; fi
  row "peer: $name" "$result" "$bytes" "" "$times" ""
}

peers_part() {
  load json
  bytes=$(size_of "$work/load.json")
  scanned_wall=$(wall_of "$(best "$RUNS" "$examples/scan-json" "$work/load.json")")
  peer_row "\`jq '.items\\\\|length'\`" "$bytes" jq '.items|length' "$work/load.json"
  peer_row "\`python3\`, \`json.load\`" "$bytes" python3 -c \
    'import json, sys; json.load(open(sys.argv[1]))' "$work/load.json"
  [ "$quick" = no ] || return 0
  # Of what kubectl does without a server the least: reading, and printing names.
  peer_row "\`kubectl annotate --local -o name\`" "$bytes" kubectl annotate --local -o name \
    -f "$work/load.json" example.com/a=b
  if python3 -c 'import yaml' 2>/dev/null; then
    few=$((PODS / 20))
    generate --pods "$few" --workloads $((WORKLOADS / 20 + 1)) --rbac $((RBAC / 20)) \
      --namespaces $((NAMESPACES / 20 + 1)) -o "$work/few.yaml"
    scanned_wall=-
    peer_row "\`python3\`, PyYAML with libyaml, $few pods" "$(size_of "$work/few.yaml")" python3 -c \
      'import sys, yaml; yaml.load(open(sys.argv[1]), Loader=yaml.CSafeLoader)' "$work/few.yaml"
    rm "$work/few.yaml"
  fi
}

growth_part() {
  : >"$work/growth"
  for pods in $GROWTH; do
    say "growth: $pods pods, through a pipe"
    bytes=$(generate --pods "$pods" --format json -o - | wc -c | tr -d ' ')
    slices=$(generate --pods "$pods" --format json -o - | "$examples/read-dump" - |
      sed -n 's/.* pods of \(.*\) slices/\1/p')
    planned=$(generate --pods "$pods" --format json -o - | once "$psp2psa" plan -f - -o json)
    per_pod=$(calc "c = \"$(cpu_of "$planned")\"
      if (c ~ /^[0-9]/) printf \"%.0f µs CPU\", c / $pods * 1e6; else print \"-\"")
    row "\`plan -o json\`, $pods pods, pipe" "$planned" "$bytes" "" \
      "$per_pod a pod, $slices slices" ""
    echo "$pods $planned" >>"$work/growth"
  done
  # Between sizes, as the rest of the cluster stays as it is.
  awk -v n_fields=4 '
    NF == n_fields && $3 != "-" { n++; pods[n] = $1; cpu[n] = $3; memory[n] = $4 * 1024 }
    END {
      for (i = 2; i <= n; i++) {
        time[i] = (cpu[i] - cpu[i - 1]) / (pods[i] - pods[i - 1]) * 1e6
        bytes[i] = (memory[i] - memory[i - 1]) / (pods[i] - pods[i - 1])
      }
      if (n < 2) exit
      met = "-"
      if (n > 2) met = time[n] <= 1.2 * time[n - 1] ? "yes" : "**no**"
      said = sprintf("%.1f µs", time[n])
      if (n > 2) said = sprintf("%.1f, then %.1f µs", time[n - 1], time[n])
      printf "| CPU of each further pod | - | - | - | - | ≤ 1.2 × of the size before | %s | %s |\n", said, met
      base = (memory[n] - bytes[n] * pods[n]) / 1048576
      printf "| memory of each further pod, over %.0f MB | - | - | - | - | ≤ 600 bytes | %.0f bytes | %s |\n",
        base, bytes[n], bytes[n] <= 600 ? "yes" : "**no**"
    }' "$work/growth"
}

wide_part() {
  [ "$quick" = no ] || return 0
  say "wide: $WIDE_NAMESPACES namespaces, $WIDE_PSPS policies, $WIDE_RBAC RBAC objects"
  generate --namespaces "$WIDE_NAMESPACES" --psps "$WIDE_PSPS" --rbac "$WIDE_RBAC" \
    --workloads "$WIDE_NAMESPACES" --pods "$WIDE_PODS" -o "$work/wide.jsonl"
  planned=$(once "$psp2psa" plan -f "$work/wide.jsonl" -o json)
  row "\`plan -o json\`, $WIDE_NAMESPACES namespaces × $WIDE_PSPS policies × $WIDE_RBAC RBAC objects" \
    "$planned" "$(size_of "$work/wide.jsonl")" "seconds, not minutes" "$(wall_of "$planned") s" \
    "$(at_most "$(wall_of "$planned")" 60)"
  rm "$work/wide.jsonl"
}

# Pods alone, a line each.
pod_lines() { generate --psps 0 --rbac 0 --pods "$1" --format jsonl -o -; }

has_results() { if [ -s "$work/results" ]; then echo yes; else echo "**no**"; fi; }

# Whether the memory of many lines is that of few: stream_rows NAME COMMAND…
stream_rows() {
  name=$1
  shift
  few=$((LINES / 10))
  say "$name: $few pods, then $LINES"
  some=$(pod_lines "$few" | once "$@")
  row "\`$name\`, $few pods, pipe" "$some" "$(pod_lines "$few" | wc -c)" "" "" ""
  all=$(pod_lines "$LINES" | once "$@")
  more=$(calc "a = \"$(memory_of "$some")\"; b = \"$(memory_of "$all")\"
    if (a ~ /^[0-9]/ && b ~ /^[0-9]/) printf \"%.1f\", (b - a) / 1024; else print \"-\"")
  row "\`$name\`, $LINES pods, pipe" "$all" "$(pod_lines "$LINES" | wc -c)" \
    "≤ 8 MB more memory" "$more MB more" "$(at_most "$more" 8)"

  # The input stays open until the output has been looked at.
  pod_lines 2 >"$work/pods.jsonl"
  : >"$work/results"
  {
    cat "$work/pods.jsonl"
    sleep 2
    has_results >"$work/met"
    cat "$work/pods.jsonl"
  } | "$@" >"$work/results" 2>/dev/null || true
  row "\`$name\`, first result" "- - -" - "before the last byte" "" "$(cat "$work/met")"
}

check_part() {
  stream_rows "check -o jsonl" "$psp2psa" check -f - -o jsonl
  if "$psp2psa" simulate --help | grep -q -e '--policies'; then
    generate --pods 0 -o "$work/policies.jsonl"
    set -- "$psp2psa" simulate -f - --policies "$work/policies.jsonl"
    if "$psp2psa" simulate --help | grep -q jsonl; then set -- "$@" -o jsonl; fi
    stream_rows "simulate --policies" "$@"
  fi
}

# A command 100 times in one process: start_row NAME COMMAND…
start_row() {
  name=$1
  shift
  # shellcheck disable=SC2016  # The inner shell expands it.
  result=$(best "$RUNS" sh -c 'i=0; while [ $i -lt 100 ]; do "$@"; i=$((i + 1)); done; true' sh "$@")
  cpu=$(calc "c = \"$(cpu_of "$result")\"; if (c ~ /^[0-9]/) printf \"%.1f\", c * 10; else print \"-\"")
  row "$name, 100 times" "$result" - "≤ 10 ms CPU each" "$cpu ms" "$(at_most "$cpu" 10)"
}

start_part() {
  say "start-up"
  cat >"$work/pod.yaml" <<'END'
apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
spec:
  containers:
  - name: web
    image: registry.example.com/web:1
    securityContext:
      runAsNonRoot: true
END
  start_row "\`psp2psa --help\`" "$psp2psa" --help
  start_row "\`psp2psa check\` of one manifest" "$psp2psa" check -f "$work/pod.yaml"
}

build_part() {
  say "building everything anew"
  result=$(once cargo build --quiet --release --locked --target-dir "$work/target")
  row "\`cargo build --release\`, from nothing" "$result" - "" "" ""
}

describe
header
for part in main peers growth wide check start build; do
  if has_part "$part"; then "${part}_part"; fi
done
