"""Writes fixtures/containers: three connections in every container.

Run ``python -m tests.container_fixtures`` after a change here or in `container_world`; a test
checks that the files are current.
"""

import gzip
import sys
from datetime import timedelta
from pathlib import Path

from tests.conftest import FIXTURES
from tests.support.container_world import (
    PACKED,
    START,
    TEXTS,
    Connection,
    evtx_file,
    tarred,
    zipped,
)

FOLDER = FIXTURES / "containers"

CONNECTIONS = tuple(
    Connection(to, START + timedelta(minutes=7 * number), 50_000 + number)
    for number, to in enumerate(("10.20.0.5", "45.83.122.10", "91.219.236.18"))
)
"""One inside of the network, and two that the rule is about."""

FORMS = {
    "array.json": "pretty array",
    "concatenated.json": "objects without anything between",
    "elasticdump.json": "elasticdump lines",
    "event-hub.json": "Event Hub batch",
    "event-xml-with-root.xml": "event XML with a root",
    "event-xml-without-root.xml": "event XML without a root",
    "hunting-api.json": "Advanced Hunting, Graph",
    "hunting.csv": "Advanced Hunting CSV",
    "kibana.csv": "Kibana CSV",
    "lines.ndjson": "ndjson",
    "pretty-objects.json": "pretty objects",
    "search-fields.json": "search response, fields",
    "search-response.json": "pretty search response",
}


def files() -> dict[str, bytes]:
    """Return each file's name and content."""
    found = {name: TEXTS[form](CONNECTIONS).encode() for name, form in FORMS.items()}
    lines = found["lines.ndjson"]
    convert_to_json = TEXTS["ConvertTo-Json"](CONNECTIONS).replace("\n", "\r\n")
    packed = gzip.compress(lines, mtime=0)
    return found | {
        "convertto-json-utf-16.json": b"\xff\xfe" + convert_to_json.encode("utf-16-le"),
        "day.tar.gz": gzip.compress(tarred({"day/lines.ndjson.gz": packed}), mtime=0),
        "day.zip": zipped(
            {
                "day/lines.ndjson": lines,
                "day/sysmon.evtx": evtx_file(CONNECTIONS),
                "__MACOSX/day/._lines.ndjson": b"\0\x05\x16\x07\0\x02\0\0Mac OS X",
                ".DS_Store": b"\0\0\0\1Bud1",
            }
        ),
        "lines.ndjson.bz2": PACKED["bzip2"](lines),
        "lines.ndjson.gz": packed,
        "lines.ndjson.xz": PACKED["xz"](lines),
        "lines.ndjson.zst": PACKED["zstd"](lines),
        "sysmon.evtx": evtx_file(CONNECTIONS),
    }


def main(folder: Path = FOLDER) -> None:
    """Write the files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (folder / name).write_bytes(content)
        sys.stdout.write(f"{folder / name}\n")


if __name__ == "__main__":
    main()
