#!/usr/bin/env bash
# Build influxd (InfluxDB 2, version: go.mod) into ${TOUCHLINE_CACHE:-~/.cache/touchline}/influxd/<version>/influxd.
# The HTTP API with Flux; without the web page, whose files are not in the Go module. Does nothing where it is built.
#
# Flux is half Rust: the Go module `flux` carries the sources of libflux, cgo asks pkg-config for `flux`. InfluxData's own
# pkg-config wrapper would build it on that question; here it is built first and a flux.pc points at it, so that each
# step fails with its own message and cargo keeps to its lock file.
# Cold 11 minutes of processor time, 1.5 GB of temporary files and 1.4 GB of Go modules; CARGO_BUILD_JOBS=1 GOFLAGS=-p=1 keep it to one core.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=$(sed -n 's|^.*github.com/influxdata/influxdb/v2 \(v[^ ]*\).*|\1|p' "$here/go.mod")
home=${TOUCHLINE_CACHE:-$HOME/.cache/touchline}/influxd
dest=$home/$version

if [ -x "$dest/influxd" ]; then
  echo "$dest/influxd"
  exit 0
fi

has() { command -v "$1" >/dev/null; }

for tool in go cargo; do
  has "$tool" || {
    echo "influxd: '$tool' is missing (Go 1.24 and Rust 1.72 or newer; Debian 12's are older)" >&2
    exit 3
  }
done
if ! has gcc || ! has pkg-config; then
  if [ "$(id -u)" = 0 ] && has apt-get; then
    apt-get update -qq >&2 && apt-get install -qq -y gcc libc6-dev pkg-config >&2
  else
    echo "influxd: 'gcc' or 'pkg-config' is missing (Debian: apt-get install gcc libc6-dev pkg-config)" >&2
    exit 3
  fi
fi

mkdir -p "$dest"
find "$home" -maxdepth 1 -name '.build.*' -mmin +180 -exec rm -rf {} + # of builds that were killed
work=$(mktemp -d "$home/.build.XXXXXX")
trap 'rm -rf "$work"' EXIT
export GOWORK=off

echo "influxd $version: fetching Go modules" >&2
cd "$here"
go mod download github.com/influxdata/flux
flux=$(go list -m -f '{{.Dir}}' github.com/influxdata/flux)

# A copy, because the module cache is read-only; without flux' rust-toolchain.toml, which asks rustup for 1.72.
mkdir "$work/flux"
cp -R "$flux/libflux" "$flux/stdlib" "$work/flux/"
chmod -R u+w "$work/flux"

echo "influxd $version: building libflux" >&2
# Newer compilers warn about more, and libflux denies warnings: cap them. Link-time optimisation is not worth its minutes.
(
  cd "$work/flux/libflux"
  RUSTFLAGS=--cap-lints=allow CARGO_PROFILE_RELEASE_LTO=off \
    cargo rustc --quiet --release --locked --package flux --lib --crate-type staticlib --target-dir "$work/target" >&2
)
cat >"$work/flux.pc" <<EOF
Name: flux
Description: libflux, the Rust half of Flux
Version: 0
Cflags: -I$work/flux/libflux/include
Libs: $work/target/release/libflux.a -ldl -lpthread -lm
EOF

echo "influxd $version: building influxd" >&2
# The tags are upstream's without `assets` (the web page).
CGO_ENABLED=1 PKG_CONFIG_PATH=$work GOCACHE=$work/gocache go build -buildvcs=false \
  -tags sqlite_foreign_keys,sqlite_json -ldflags "-s -w -X main.version=$version" \
  -o "$work/influxd" github.com/influxdata/influxdb/v2/cmd/influxd >&2

"$work/influxd" version >&2
mv "$work/influxd" "$dest/influxd"
echo "$dest/influxd"
