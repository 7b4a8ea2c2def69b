"""The tools that smbrare is measured against, and how each is asked the same question.

The question: which destinations match the rule. The benchmark's events come in three shapes (ECS,
raw Winlogbeat, evtx_dump), and every peer that answers reads all three. Internal addresses are told
by a prefix that suffices for that data: less work than the rule's 26 ranges, to the peers' favour.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

QUERIES = Path(__file__).parent / "queries"

_INTERNAL = '"10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"'
_PRIVATE = '"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"'


def _eql_clause(data: str) -> str:
    return (
        f'({data}.ProcessId in ("4", 4) and {data}.Protocol == "tcp"'
        f' and {data}.DestinationPort in ("445", "139", 445, 139)'
        f" and cidrMatch({data}.SourceIp, {_PRIVATE})"
        f" and not cidrMatch({data}.DestinationIp, {_INTERNAL}))"
    )


EQL = (
    'any where (process.pid == 4 and network.transport == "tcp"'
    f" and destination.port in (445, 139) and cidrMatch(source.ip, {_PRIVATE})"
    f" and not cidrMatch(destination.ip, {_INTERNAL}))"
    f" or {_eql_clause('winlog.event_data')} or {_eql_clause('Event.EventData')}"
)


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool, and how it is run.

    Attributes:
        name: Its name in the table.
        command: The command for a file, or None where the tool is not installed.
        answer: The set of destinations in what it prints; None for one that only reads.
        version: The command that tells its version.
        share: The part of the file that it is given, since some take minutes for all of it.
        compressed: Whether it reads gzip.
    """

    name: str
    command: Callable[[Path], list[str]] | None
    answer: Callable[[str], set[str]] | None = None
    version: tuple[str, ...] = ()
    share: float = 1.0
    compressed: bool = False


def _lines(out: str) -> set[str]:
    return set(out.split())


def _documents(out: str) -> set[str]:
    found = set()
    for line in out.splitlines():
        document = json.loads(line)
        data = document.get("winlog", document.get("Event", {}))
        raw = data.get("event_data", data.get("EventData", {}))
        found.add(document.get("destination", {}).get("ip") or raw["DestinationIp"])
    return found


def peers(environment: Path) -> list[Peer]:
    """Return the peers; those that are not installed have no command.

    Args:
        environment: The virtual environment of ``make bench-peers``.
    """
    python = environment / "bin" / "python"
    eql = environment / "bin" / "eql"

    def tool(name: str, *arguments: str) -> Callable[[Path], list[str]] | None:
        path = shutil.which(name)
        return None if path is None else lambda file: [path, *arguments, str(file)]

    def package(name: str) -> tuple[str, ...]:
        telling = f"from importlib.metadata import version; print('{name}', version('{name}'))"
        return (str(python), "-c", telling)

    def script(name: str, *arguments: str) -> Callable[[Path], list[str]] | None:
        if not python.exists():
            return None
        return lambda file: [str(python), str(QUERIES / name), *arguments, str(file)]

    return [
        Peer("wc -l", tool("wc", "-l"), version=("wc", "--version")),
        Peer("grep -c 445", tool("grep", "-c", "445"), version=("grep", "--version")),
        Peer("ripgrep -c 445", tool("rg", "-c", "445"), version=("rg", "--version")),
        *(
            Peer(name, script("duckdb_scan.py", threads), _lines, version=told, compressed=True)
            for name, threads, told in (
                ("DuckDB, 1 thread", "1", ()),
                ("DuckDB, 2 threads", "2", package("duckdb")),
            )
        ),
        Peer("polars", script("polars_scan.py"), _lines, version=package("polars")),
        Peer(
            "jq",
            tool("jq", "-r", "-f", str(QUERIES / "matching.jq")),
            _lines,
            version=("jq", "--version"),
            share=0.1,
        ),
        Peer(
            "eql",
            (lambda file: [str(eql), "query", "--format", "jsonl", "--file", str(file), EQL])
            if eql.exists()
            else None,
            _documents,
            version=package("eql"),
            share=0.05,
        ),
    ]
