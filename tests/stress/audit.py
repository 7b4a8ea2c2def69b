"""Show that `make audit` asks for every locked package, and fails where one is vulnerable.

``python -m tests.stress.audit`` gives it a service of advisories on loopback that speaks as OSV
does (https://google.github.io/osv.dev/post-v1-query/): first one that knows none, then one that
knows one for each of two packages.
"""

import json
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from packaging.requirements import Requirement

from tests.conftest import ROOT

_LOCKED = re.compile(r"^[a-z0-9-]+==[^\\]+", re.MULTILINE)


def locked() -> dict[str, str]:
    """Return the version of each package that is locked for this machine, by its name."""
    texts = (path.read_text() for path in sorted((ROOT / "requirements").glob("*.txt")))
    lines = (Requirement(line) for text in texts for line in _LOCKED.findall(text))
    here = [line for line in lines if line.marker is None or line.marker.evaluate()]
    return {line.name: str(line.specifier).removeprefix("==") for line in here}


class _Service(ThreadingHTTPServer):
    """Advisories for some packages; what was asked for is kept."""

    def __init__(self, vulnerable: set[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.vulnerable = vulnerable
        self.asked: set[tuple[str, str]] = set()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        service: Any = self.server
        query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = query["package"]["name"]
        service.asked.add((name, query["version"]))
        affected = {"package": {"name": name, "ecosystem": "PyPI"}, "ranges": []}
        found = {"id": f"TEST-{name}", "summary": "made up", "affected": [affected]}
        body = json.dumps({"vulns": [found]} if name in service.vulnerable else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def audit(vulnerable: set[str]) -> tuple[int, str, set[tuple[str, str]]]:
    """Return the exit code of `make audit`, what it printed and what it asked for."""
    with _Service(vulnerable) as service:
        Thread(target=service.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{service.server_port}/v1/query"
        service_options = f"ADVISORIES=--vulnerability-service osv --osv-url {url}"
        done = subprocess.run(
            ["make", "audit", service_options],  # noqa: S607 - the one that developers have
            cwd=ROOT,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        service.shutdown()
    return done.returncode, done.stdout, service.asked


def main() -> int:
    """Run both, and return 0 if they ended as they should."""
    wanted = locked()
    # One that smbrare needs, and one that only its development does.
    vulnerable = {"msgspec", "hypothesis"}
    clean, _, asked = audit(set())
    code, printed, _ = audit(vulnerable)
    missing = wanted.items() - asked
    named = {name for name in wanted if f"TEST-{name}" in printed}
    told = (
        f"asked for {len(wanted.items() & asked)} of {len(wanted)} locked packages, and for "
        f"{len(asked - wanted.items())} that are the oldest allowed\n"
        f"exit {clean} without advisories\n"
        f"exit {code} with advisories for {sorted(vulnerable)}; named were {sorted(named)}\n"
    )
    sys.stdout.write(told)
    return int(bool(missing or clean or not code or named != vulnerable))


if __name__ == "__main__":
    sys.exit(main())
