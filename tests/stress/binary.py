"""Show that the executable of ``make binary`` does what the wheel that it was made of does.

``python -m tests.stress.binary EXECUTABLE REFERENCE`` runs both on every kind of input that needs a
library or a file of its own, with processes that are forked and that are started anew, and ends
with the first difference.
"""

import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

ROOT = Path(__file__).parents[2]
WEEK = b"".join(path.read_bytes() for path in sorted((ROOT / "fixtures" / "week").iterdir()))


class _Quiet(SimpleHTTPRequestHandler):
    def copyfile(self, source: Any, outputfile: Any) -> None:
        """Send what is read of a file: who asks ends the connection when it has enough."""
        with suppress(OSError):
            super().copyfile(source, outputfile)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name
        """Say nothing of a request."""


def commands(folder: Path, port: int) -> list[str]:
    """Return what to run: on fixtures, and on two files of a folder, which a web server has too."""
    each = [folder / "a.ndjson", folder / "b.ndjson"]
    for path in each:
        path.write_bytes(WEEK * 400)
    web = " ".join(f"http://127.0.0.1:{port}/{path.name}" for path in each)
    files = ROOT / "fixtures"
    return [
        "--help",
        f"scan {files}/sample.ndjson",
        f"scan {files}/containers/sysmon.evtx --format ndjson",
        *(f"scan {files}/containers/lines.ndjson.{kind} -f ndjson" for kind in ("gz", "zst", "xz")),
        *(
            f"scan {files}/sample.ndjson --format {name}"
            for name in ("html", "json", "sarif", "markdown", "csv")
        ),
        f"scan {files}/sample.ndjson --geoip {files}/sample.ndjson",
        f"baseline show {folder}/acme.db",
        "completion bash",
        "schema report",
        f"explain {files}/sample.ndjson:5",
        f"inspect {files}/sample.ndjson",
        "rule export --to kql",
        f"scan {folder} --jobs 2 --format ndjson",
        f"scan {web} --jobs 2 --format ndjson",
    ]


def outcome(program: str, command: str) -> tuple[int, bytes, bytes]:
    """Return exit code, stdout and stderr of a run."""
    done = subprocess.run([program, *command.split()], capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


def main() -> None:
    """Run each command with both, and compare.

    Raises:
        SystemExit: If they differ.
    """
    executable, reference = (str(Path(name).resolve()) for name in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        served = partial(_Quiet, directory=folder)
        with ThreadingHTTPServer(("127.0.0.1", 0), served) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            told = commands(Path(folder), server.server_port)
            outcome(reference, f"baseline learn {folder}/acme.db {folder}/a.ndjson")
            for command in told:
                made, wanted = outcome(executable, command), outcome(reference, command)
                if made != wanted:
                    raise SystemExit(f"smbrare {command}\n{made}\ninstead of\n{wanted}")
            server.shutdown()
    sys.stdout.write(f"{len(told)} passed, 0 failed\n")


if __name__ == "__main__":
    main()
