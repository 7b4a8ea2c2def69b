"""Show that the executable of ``make binary`` does what the wheel that it was made of does.

``python -m tests.stress.binary EXECUTABLE REFERENCE`` runs both on every kind of input that needs a
library or a file of its own, with processes that are forked and that are started anew, and ends
with the first difference.
"""

import subprocess
import sys
import tempfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

ROOT = Path(__file__).parents[2]
WEEK = b"".join(path.read_bytes() for path in sorted((ROOT / "fixtures" / "week").iterdir()))


class _Quiet(SimpleHTTPRequestHandler):
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
        f"scan {files}/sample.ndjson --baseline {folder}/acme.db",
        f"explain {files}/sample.ndjson:5",
        f"inspect {files}/sample.ndjson",
        "rule export --to kql",
        f"scan {folder} --jobs 2 --format ndjson",
        f"scan {web} --jobs 2 --format ndjson",
    ]


def main() -> None:
    """Run each command with both, and compare.

    Raises:
        SystemExit: If they differ.
    """
    programs = [str(Path(name).resolve()) for name in sys.argv[1:3]]
    with tempfile.TemporaryDirectory() as name:
        served = partial(_Quiet, directory=name)
        with ThreadingHTTPServer(("127.0.0.1", 0), served) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            told = commands(Path(name), server.server_port)
            for command in told:
                ours, other = (
                    subprocess.run([program, *command.split()], capture_output=True, check=False)
                    for program in programs
                )
                if (ours.returncode, ours.stdout, ours.stderr) != (
                    other.returncode,
                    other.stdout,
                    other.stderr,
                ):
                    sys.stderr.buffer.write(ours.stderr + other.stderr)
                    raise SystemExit(f"differs: smbrare {command}")
            server.shutdown()
    sys.stdout.write(f"{len(told)} passed, 0 failed\n")


if __name__ == "__main__":
    main()
