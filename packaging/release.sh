#!/usr/bin/env bash
# Builds what a release for this platform consists of, into target/dist:
#
#   packaging/release.sh                  everything
#   packaging/release.sh archive deb      only these of: archive deb sbom krew
#
# The program is built with what `cargo audit bin` reads. The same program is packed into the same
# files, byte for byte. SHA256SUMS is of all that stands in target/dist, so archives of other
# platforms may be put there before `packaging/release.sh krew`.
#
# Environment:
#   SOURCE_DATE_EPOCH  the time that all files bear; without it that of the last commit
#   MAINTAINER         who answers for the Debian package, as "Name <address>"; deb needs it
#   URL, HOMEPAGE      where the files of the release and the project are found; krew needs both
#   DIST               another directory than target/dist
#   PROFILE            another profile of cargo than `release`, to try this out
#   BINARY             package this program instead of building one, to try this out
set -euo pipefail
cd "$(dirname "$0")/.."
umask 022
export LC_ALL=C TZ=UTC

dist=${DIST:-target/dist}
stage=target/stage
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
profile=${PROFILE:-release}

fail() { printf 'error: %s\n' "$1" >&2; exit 1; }

# need COMMAND HINT
need() { command -v "$1" >/dev/null 2>&1 || fail "$1 is missing: $2"; }

# The parts that were asked for.
parts=" ${*:-archive deb sbom} "
if [ $# -eq 0 ] && [ -n "${URL:-}" ]; then parts+="krew "; fi
for part in $parts; do
  case $part in
    archive | deb | sbom | krew) ;;
    *) fail "there is no part $part; there are archive, deb, sbom and krew" ;;
  esac
done
has() { [[ $parts == *" $1 "* ]]; }

if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) || fail "set SOURCE_DATE_EPOCH where there is no git"
fi
export SOURCE_DATE_EPOCH

need sha256sum "install GNU coreutils"
if has archive || has deb; then
  need cargo "install Rust"
  tar --version | grep -q 'GNU tar' || fail "tar is not GNU tar: only that makes the same archive twice"
  need strip "install binutils"
  if [ -z "${BINARY:-}" ]; then
    need cargo-auditable "cargo install --locked cargo-auditable"
  fi
fi
if has deb; then
  need cargo-deb "cargo install --locked cargo-deb --no-default-features"
  need dpkg-shlibdeps "apt-get install dpkg-dev"
  [ -n "${MAINTAINER:-}" ] || fail 'deb needs MAINTAINER, as "Name <address>"'
fi
if has sbom; then need cargo-cyclonedx "cargo install --locked cargo-cyclonedx"; fi
if has krew; then
  if [ -z "${URL:-}" ] || [ -z "${HOMEPAGE:-}" ]; then fail "krew needs URL and HOMEPAGE"; fi
fi

# The name that Go, and so krew, has for a target of Rust.
platform_of() {
  local os arch
  case $1 in
    *-linux-*) os=linux ;;
    *-apple-darwin) os=darwin ;;
    *) fail "there is no archive for $1" ;;
  esac
  case $1 in
    x86_64-*) arch=amd64 ;;
    aarch64-*) arch=arm64 ;;
    *) fail "there is no archive for $1" ;;
  esac
  echo "$os-$arch"
}

# build TARGET: prints where the program is.
build() {
  local directory=${CARGO_TARGET_DIR:-target} output=$profile
  if [ "$profile" = dev ]; then output=debug; fi
  # No path of this machine is to be found in the program.
  RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$PWD=. --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo" \
    cargo auditable build --locked --profile "$profile" --bin psp2psa --target "$1" >&2
  echo "$directory/$1/$output/psp2psa"
}

# What goes beside the program, whatever it is packed into.
prepare() {
  rm -rf "$stage"
  mkdir -p "$stage/completions"
  cargo run --quiet --locked --example man-pages -- "$stage/man" "$(date -d "@$SOURCE_DATE_EPOCH" +%F)"
  packaging/notices.sh "$host" >"$stage/THIRD-PARTY.txt"
  "$1" completion bash >"$stage/completions/psp2psa.bash"
  "$1" completion zsh >"$stage/completions/_psp2psa"
  "$1" completion fish >"$stage/completions/psp2psa.fish"
  "$1" completion powershell >"$stage/completions/psp2psa.ps1"
}

# archive PROGRAM NAME: with the program at its top under the name of the plugin.
archive() {
  local content=$stage/archive
  rm -rf "$content"
  mkdir -p "$content"
  install -m 755 "$1" "$content/kubectl-psp2psa"
  strip "$content/kubectl-psp2psa"
  install -m 755 packaging/kubectl_complete-psp2psa "$content/"
  install -m 644 LICENSE README.md CHANGELOG.md SECURITY.md "$stage/THIRD-PARTY.txt" "$content/"
  cp -R "$stage/man" "$stage/completions" "$content/"
  (
    cd "$content"
    tar --create --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
      --mode=go=u-w --format=ustar -- *
  ) | gzip --no-name --best >"$dist/psp2psa-$version-$2.tar.gz"
}

# deb PROGRAM: the Debian package for the machine that this runs on. What it holds is said in
# Cargo.toml.
deb() {
  mkdir -p target/deb/release
  install -m 755 "$1" target/deb/release/psp2psa
  strip target/deb/release/psp2psa
  {
    printf 'psp2psa (%s-1) unstable; urgency=medium\n\n' "$version"
    printf '  * Release %s; changelog.gz says what has changed.\n\n' "$version"
    printf ' -- %s  %s\n' "$MAINTAINER" "$(date -R -d "@$SOURCE_DATE_EPOCH")"
  } >"$stage/changelog"
  # cargo-deb packs what it finds there as a finished build.
  CARGO_TARGET_DIR=target/deb cargo deb --quiet --no-build --no-strip --locked ${BINARY:+--fast} \
    --maintainer "$MAINTAINER" --output "$dist/"
}

# The crates that the program is built of, as CycloneDX has it; without this machine's path.
sbom() {
  cargo cyclonedx --quiet --format json --spec-version 1.5 --describe binaries --no-build-deps
  sed "s|path+file://$PWD#|path+file:///psp2psa#|g" psp2psa_bin.cdx.json >"$dist/psp2psa-$version.cdx.json"
  rm psp2psa_bin.cdx.json
}

# The manifest for the platforms whose archives are there.
krew() {
  local file platform sum
  {
    sed -e '/^#/d' -e "s|@VERSION@|$version|" -e "s|@HOMEPAGE@|$HOMEPAGE|" packaging/krew.yaml
    for platform in linux-amd64 linux-arm64 darwin-amd64 darwin-arm64; do
      file=psp2psa-$version-$platform.tar.gz
      [ -f "$dist/$file" ] || continue
      sum=$(sha256sum "$dist/$file")
      printf '    - selector:\n        matchLabels:\n'
      printf '          os: %s\n          arch: %s\n' "${platform%-*}" "${platform#*-}"
      printf '      uri: "%s/%s"\n      sha256: "%s"\n' "${URL%/}" "$file" "${sum%% *}"
      printf '      bin: kubectl-psp2psa\n'
    done
  } >"$dist/krew.yaml.new"
  grep -q sha256 "$dist/krew.yaml.new" || fail "there is no archive in $dist for krew"
  mv "$dist/krew.yaml.new" "$dist/psp2psa.yaml"
}

mkdir -p "$dist"
if has archive || has deb; then
  host=$(rustc --print host-tuple)
  program=${BINARY:-$(build "$host")}
  prepare "$program"
  if has archive; then
    archive "$program" "$(platform_of "$host")"
    musl=${host%%-*}-unknown-linux-musl
    if [ -z "${BINARY:-}" ] && [ -d "$(rustc --print target-libdir --target "$musl")" ]; then
      archive "$(build "$musl")" "$(platform_of "$musl")-musl"
    fi
  fi
  if has deb; then deb "$program"; fi
fi
if has sbom; then sbom; fi
if has krew; then krew; fi
(cd "$dist" && rm -f SHA256SUMS && sums=$(sha256sum -- *) && tee SHA256SUMS <<<"$sums")
