#!/usr/bin/env bash
# Fetch the jars of Apache Kafka (version: pom.xml) into ${TOUCHLINE_CACHE:-~/.cache/touchline}/kafka/<version>/libs.
# Does nothing where they are. Run a broker with: java -cp '<libs>/*' kafka.Kafka server.properties
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=$(sed -n 's|.*<kafka.version>\(.*\)</kafka.version>.*|\1|p' "$here/pom.xml")
dest=${TOUCHLINE_CACHE:-$HOME/.cache/touchline}/kafka/$version

if [ -d "$dest/libs" ]; then
  echo "$dest/libs"
  exit 0
fi

for tool in java mvn; do
  command -v "$tool" >/dev/null || {
    echo "kafka: '$tool' is missing (Debian: apt-get install openjdk-17-jre-headless maven)" >&2
    exit 3
  }
done

mkdir -p "$dest"
work=$(mktemp -d "$dest/.build.XXXXXX")
trap 'rm -rf "$work"' EXIT
mvn -B -q -Dstyle.color=never -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$work/libs" >&2

# In one step; where another build came first, its jars are as good.
mv -T "$work/libs" "$dest/libs" 2>/dev/null || [ -d "$dest/libs" ]
echo "$dest/libs"
