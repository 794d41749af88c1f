"""Bootstrap of InfluxDB 2: the bucket with its retention, and a token that can do no more than read and write it.

For an InfluxDB that docker-compose.yml did not start, and to change the retention of one that it did. Needs only
Python. Run it again whenever you like: a bucket that is there keeps its points. Prints the token on stdout, and only
there.

    python deploy/influxdb/setup.py --url http://influx:8086 --admin-token-file admin.txt --retention-days 400
"""
# ruff: noqa: INP001 (a script, no package)

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

DAY_S: Final = 24 * 3600
TIMEOUT_S: Final = 10
ABOUT: Final = "touchline: read and write"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit 0: done; 3: InfluxDB is not there, or refuses."""
    asked = _parser().parse_args(arguments)
    try:
        influx = Influx(asked.url, asked.admin_token_file.read_text().strip(), asked.org)
        bucket = influx.keep_bucket(asked.bucket, asked.retention_days)
        sys.stdout.write(influx.token_of(bucket) + "\n")
    except HTTPError as error:
        said = " ".join(error.read().decode(errors="replace").split())
        sys.stderr.write(f"InfluxDB at {asked.url} refuses: {said}\n")
        return 3
    except (URLError, OSError, LookupError) as error:
        sys.stderr.write(f"InfluxDB at {asked.url}: {error}\n")
        return 3
    return 0


class Influx:
    """What of API v2 the bootstrap needs. Raises urllib's errors, and LookupError without the organisation."""

    def __init__(self, url: str, token: str, organisation: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
        found = self._find("orgs", {"org": organisation})
        if not found:
            raise LookupError(f"there is no organisation {organisation}")
        self._organisation = found[0]["id"]

    def keep_bucket(self, name: str, days: int) -> dict[str, Any]:
        """The bucket, made or changed to keep points for ``days``, 0 for ever."""
        wanted = {"name": name, "retentionRules": [{"type": "expire", "everySeconds": days * DAY_S}]}
        owner = {"orgID": self._organisation}
        found = self._find("buckets", {"name": name, **owner})
        if found:
            return self._ask("PATCH", f"buckets/{found[0]['id']}", body=wanted)
        return self._ask("POST", "buckets", body=wanted | owner)

    def token_of(self, bucket: dict[str, Any]) -> str:
        """The token that was made for this bucket before, else a new one."""
        about, owner = f"{ABOUT} {bucket['name']}", {"orgID": self._organisation}
        for known in self._find("authorizations", owner):
            if known["description"] == about and known["status"] == "active":
                return str(known["token"])
        resource = {"type": "buckets", "id": bucket["id"], **owner}
        allowed = [{"action": action, "resource": resource} for action in ("read", "write")]
        made = self._ask(
            "POST", "authorizations", body={"description": about, "permissions": allowed, **owner}
        )
        return str(made["token"])

    def _find(self, kind: str, query: dict[str, str]) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = self._ask("GET", kind, query)[kind]
        except HTTPError as error:
            if error.code != HTTPStatus.NOT_FOUND:
                raise
            return []
        return found

    def _ask(
        self, method: str, path: str, query: dict[str, str] | None = None, body: Any = None
    ) -> dict[str, Any]:
        url = f"{self._url}/api/v2/{path}?{urlencode(query or {})}"
        sent = None if body is None else json.dumps(body).encode()
        request = Request(url, sent, self._headers, method=method)  # noqa: S310 (the operator names the address)
        with urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 (as above)
            found: dict[str, Any] = json.load(answer)
            return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default="http://127.0.0.1:8086")
    parser.add_argument("--org", default="touchline", help="an organisation that exists")
    parser.add_argument("--bucket", default="touchline")
    parser.add_argument("--retention-days", type=int, default=0, help="0 keeps for ever")
    parser.add_argument("--admin-token-file", type=Path, required=True, help="file with an operator's token")
    return parser


if __name__ == "__main__":
    sys.exit(main())
