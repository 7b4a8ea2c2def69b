"""What smbrare is to reach: its time and room beside what others take for the same work.

Those that are compared run alternately, on warm files; the best of the rounds counts. A peer that
is not installed leaves its row without a figure.
"""

import math
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import orjson
from ahocorasick_rs import BytesAhoCorasick, MatchKind

from bench.process import INSTALLED, MEGABYTE, ROOT, Done, run, scan
from smbrare.baseline.store import Baseline
from smbrare.detection.sightings import Row
from smbrare.records.times import HOUR, MICROSECONDS
from smbrare.rule import port_sieve
from tests.support.forms import FORMS
from tests.support.forms.connection import SCENE

START = datetime(2026, 11, 1, tzinfo=UTC)
TWO_WEEKS = timedelta(days=14)
QUERIES = ROOT / "bench" / "queries"
ORJSON = [str(INSTALLED / "python"), str(QUERIES / "orjson_lines.py")]
DESTINATIONS = 1_000
SOURCES = (
    *("elastic_defend-8", "winlogbeat-8", "sysmon-evtx_dump", "windows_firewall-winlogbeat"),
    *("endgame-raw", "defender-hunting", "sentinel_one-raw", "ecs-plain"),
)


@dataclass(frozen=True, slots=True)
class Goal:
    """A row of the table: what was measured, in a unit, and what it must be at most."""

    work: str
    against: str
    measured: float | None
    must: float
    unit: str = ""
    told: str = ""

    def row(self) -> str:
        """Return it as a line of Markdown."""
        figure, verdict = "not installed", ""
        if self.measured is not None:
            digits = 0 if self.unit == " MB" else 2
            figure = f"{self.measured:,.{digits}f}{self.unit}"
            verdict = "reached" if self.measured <= self.must else "**missed**"
        cells = (self.work, self.against, figure, f"{self.must:g}{self.unit}", verdict, self.told)
        return f"| {' | '.join(cells)} |"


def matches(
    form: str, count: int, destinations: int = DESTINATIONS, others: int = 0
) -> Iterator[bytes]:
    """Yield lines of a form over two weeks: so many that match the rule, and others among them."""
    random, write, total = Random(1), FORMS[form], count + others
    for number in range(total):
        is_other = number * others // total != (number + 1) * others // total
        at = number if destinations == total else random.randrange(destinations)
        connection = replace(
            SCENE[3 if is_other else 0],
            time=START + TWO_WEEKS * (number / total),
            host=f"WS-{number % 50:02}.corp.example",
            destination=f"45.{83 + (at >> 16)}.{at >> 8 & 255}.{at & 255}",
        )
        yield orjson.dumps(write(connection)) + b"\n"


def best(commands: Sequence[list[str]], rounds: int) -> list[Done]:
    """Return the fastest run of each command, which take turns."""
    turns = [[run(command) for command in commands] for _ in range(rounds)]
    for done in turns[0]:
        if done.code not in {0, 1}:
            raise SystemExit(f"a command of a goal ended with {done.code}")
    return [min(runs, key=lambda done: done.seconds) for runs in zip(*turns, strict=True)]


class Measure:
    """The goals, measured in a folder.

    Attributes:
        folder: Where there is room for files of some GB.
        environment: The peers' virtual environment.
        rounds: Runs of each command.
        share: The part of the full sizes.
    """

    def __init__(self, folder: Path, environment: Path, rounds: int, share: float) -> None:
        self.folder = folder
        self.rounds = rounds
        self.share = share
        self._python = environment / "bin" / "python"

    def count(self, full: int) -> int:
        """Return a part of a number."""
        return int(full * self.share)

    def write(self, name: str, lines: Iterator[bytes]) -> Path:
        """Return a file of lines."""
        path = self.folder / name
        with path.open("wb") as file:
            file.writelines(lines)
        return path

    def ratio(
        self,
        work: str,
        against: str,
        ours: list[str],
        peer: list[str] | None,
        must: float,
        *,
        answers: bool = False,
    ) -> Goal:
        """Return a goal of two commands: our time over the peer's.

        Raises:
            SystemExit: If a peer that answers gives another answer.
        """
        if peer is None:
            return Goal(work, against, None, must)
        mine, other = best([ours, peer], self.rounds)
        if answers and found(mine) != set(other.output.decode().split()):
            raise SystemExit(f"{against} gives another answer for {work}")
        told = (
            f"{mine.seconds:.2f} s to {other.seconds:.2f} s; "
            f"processor {mine.processor:.2f} s to {other.processor:.2f} s"
        )
        return Goal(work, against, mine.seconds / other.seconds, must, told=told)

    def tool(self, name: str, *arguments: str) -> list[str] | None:
        """Return a command of a tool, if that is installed."""
        path = shutil.which(name)
        return None if path is None else [path, *arguments]

    def duckdb(self, file: Path, *arguments: str) -> list[str] | None:
        """Return the question in DuckDB with two threads, if that is installed."""
        if not self._python.exists():
            return None
        return [str(self._python), str(QUERIES / "duckdb_scan.py"), "2", str(file), *arguments]

    def export(self) -> Iterator[Goal]:
        """Yield what an export takes that a query has filtered: every line matches."""
        log = self.write("export.ndjson", matches("elastic_defend-8", self.count(100_000)))
        jq = self.tool("jq", "-r", "-f", str(QUERIES / "matching.jq"), str(log))
        one, two = (ndjson(log, f"--jobs={jobs}") for jobs in (1, 2))
        yield self.ratio("filtered export, 1 job", "jq, same question", one, jq, 1.3, answers=True)
        first = self.duckdb(log, "first")
        work = "filtered export, 2 jobs"
        yield self.ratio(work, "DuckDB, `min(time)`", two, first, 6, answers=True)

    def sources(self) -> Iterator[Goal]:
        """Yield what the events of each source take, beside the time to decode their lines."""
        line = self.write("line.ndjson", matches("ecs-plain", 1))
        ratios = {}
        for form in SOURCES:
            events = self.count(40_000)
            log = self.write("source.ndjson", matches(form, events, others=events))
            commands = [
                command
                for file in (line, log)
                for command in (ndjson(file, "--jobs=1", "--thorough"), [*ORJSON, str(file)])
            ]
            start, bare, ours, decoded = best(commands, self.rounds)
            spent = ours.processor - start.processor
            ratios[form] = spent / (decoded.processor - bare.processor)
        told = ", ".join(f"{form.partition('-')[0]} {ratio:.0f}" for form, ratio in ratios.items())
        mean = math.exp(sum(map(math.log, ratios.values())) / len(ratios))
        against = "orjson.loads of the lines, processor, less start-up"
        yield Goal("eight sources, --thorough: mean", against, mean, 8, told=told)
        yield Goal("the worst of them", against, max(ratios.values()), 25)

    def haystack(self, log: Path) -> Iterator[Goal]:
        """Yield what a log takes in which few events match."""
        hay = self.folder / "haystack.ndjson"
        with hay.open("wb") as file:
            for _ in range(5):
                with log.open("rb") as source:
                    shutil.copyfileobj(source, file, MEGABYTE)
        one, two = (ndjson(hay, f"--jobs={jobs}") for jobs in (1, 2))
        size = f"{hay.stat().st_size / 1e9:.1f} GB haystack"
        grep = self.tool("grep", "-c", "445", str(hay))
        yield self.ratio(f"{size}, 1 job", "grep -c 445", one, grep, 1.6)
        duckdb = self.duckdb(hay)
        work = f"{size}, 2 jobs"
        yield self.ratio(work, "DuckDB, explicit columns", two, duckdb, 0.75, answers=True)
        yield memory(f"{size}, 1 job", one, 80)
        hay.unlink()

    def clients(self, log: Path) -> Iterator[Goal]:
        """Yield what it costs the sieve to notice clients of SMB and WebDAV beside the ports."""
        needles = port_sieve._NEEDLES  # noqa: SLF001 - without some of them there is no command
        kinds = MatchKind.LeftmostFirst
        ports = needles[: port_sieve._FIRST_CLIENT]  # noqa: SLF001
        searches = [BytesAhoCorasick(each, matchkind=kinds) for each in (needles, ports)]
        with log.open("rb") as file:
            blocks = [*iter(lambda: file.read(MEGABYTE), b"")][: self.count(200)]
        times = [math.inf, math.inf]
        for _ in range(self.rounds):
            for place, search in enumerate(searches):
                start = time.process_time()
                for block in blocks:
                    search.find_matches_as_indexes(block)
                times[place] = min(times[place], time.process_time() - start)
        (whole,) = best([ndjson(log, "--jobs=1")], self.rounds)
        whole_of_it = whole.processor * len(blocks) * MEGABYTE / log.stat().st_size
        ratio = 1 + (times[0] - times[1]) / whole_of_it
        told = f"search {times[0]:.3f} s to {times[1]:.3f} s of {whole_of_it:.2f} s"
        work = "a scan that looks for SMB, WebDAV and NTLM clients"
        yield Goal(work, "one for ports alone, processor", ratio, 1.05, told=told)

    def growth(self, log: Path) -> Iterator[Goal]:
        """Yield that no size takes longer than a larger one."""
        parts = []
        for size in (30, 100):
            with log.open("rb") as source:
                part = source.read(size * MEGABYTE)
            path = self.write(f"{size}.ndjson", iter([part[: part.rfind(b"\n") + 1]]))
            parts.append(ndjson(path, "--jobs=1"))
        smaller, larger = parts
        yield self.ratio("30 MB, 1 job", "100 MB", smaller, larger, 1)

    def small_files(self) -> Iterator[Goal]:
        """Yield what many files of ten events take."""
        import gzip  # noqa: PLC0415 - only they are compressed

        count, folder = self.count(20_000), self.folder / "small"
        lines = list(matches("elastic_defend-8", count, others=9 * count))
        for number in range(count):
            name = folder / f"{number // 1000:03}" / f"{number}.gz"
            name.parent.mkdir(parents=True, exist_ok=True)
            name.write_bytes(gzip.compress(b"".join(lines[number * 10 : number * 10 + 10]), 6))
        one = self.folder / "one.gz"
        one.write_bytes(gzip.compress(b"".join(lines), 6))
        ours, whole = (ndjson(path) for path in (folder, one))
        yield self.ratio(f"{count:,} gz files of ten events", "one such file", ours, whole, 20)
        shutil.rmtree(folder)

    def room(self) -> Iterator[Goal]:
        """Yield the memory for what a scan has to keep, and a table of many findings."""
        count = self.count(100_000)
        many = self.write("many.ndjson", matches("ecs-plain", count, destinations=count))
        yield memory(f"{count:,} destinations, 1 job", ndjson(many, "--jobs=1"), 120)
        count = self.count(1_000_000)
        often = self.write("often.ndjson", matches("elastic_defend-8", count))
        work = f"{count:,} matches of {DESTINATIONS:,} destinations, 1 job"
        yield memory(work, ndjson(often, "--jobs=1"), 400)
        often.unlink()
        count = self.count(20_000)
        rows = self.write("rows.ndjson", matches("ecs-plain", count, destinations=count))
        table, lines = best([scan(rows, "--quiet"), ndjson(rows)], self.rounds)
        told = f"peak {table.peak / MEGABYTE:,.0f} MB to {lines.peak / MEGABYTE:,.0f} MB"
        work = f"{count:,} findings as a table"
        yield Goal(work, "as ndjson, processor", table.processor - lines.processor, 2, " s", told)

    def baseline(self) -> Iterator[Goal]:
        """Yield what the rows of a baseline cost a scan of one line."""
        log = self.write("line.ndjson", matches("ecs-plain", 1))
        count, commands = self.count(500_000), []
        hour = int(START.timestamp()) * MICROSECONDS // HOUR
        for rows in (0, count):
            path = self.folder / f"{rows}.db"
            path.unlink(missing_ok=True)
            Baseline(path, {"time field": "@timestamp", "literal": "false"}).commit(
                (_row(number, hour) for number in range(rows)), {hour: False}
            )
            commands.append(scan(log, "--quiet", "--baseline", str(path)))
        empty, full = best(commands, self.rounds)
        told = f"processor {full.processor:.2f} s to {empty.processor:.2f} s"
        more = full.processor - empty.processor
        work = f"one line over a baseline of {count:,} rows"
        yield Goal(work, "over none, processor", more, 0.5, " s", told)

    def table(self, log: Path) -> str:
        """Return all goals as a table."""
        measured: list[Callable[[], Iterator[Goal]]] = [
            self.export,
            self.sources,
            lambda: self.haystack(log),
            lambda: self.clients(log),
            lambda: self.growth(log),
            self.small_files,
            self.room,
            self.baseline,
        ]
        head = ["| work | against | measured | must | | |", "|---|---|---:|---:|---|---|"]
        return "\n".join([*head, *(goal.row() for group in measured for goal in group())])


def ndjson(path: Path, *options: str) -> list[str]:
    """Return the command that prints findings as NDJSON."""
    return scan(path, "--quiet", "--no-baseline", "--format=ndjson", *options)


def memory(work: str, command: list[str], must: float) -> Goal:
    """Return the peak memory of a command as a goal."""
    # From a process of its own: what this one once held counts as its children's peak.
    done = orjson.loads(run([sys.executable, "-m", "bench.process", *command]).output)
    told = f"{done['seconds']:.2f} s; processor {done['processor']:.2f} s"
    return Goal(work, "peak memory", done["peak"] / MEGABYTE, must, " MB", told)


def found(done: Done) -> set[str]:
    """Return the destinations of findings."""
    return {orjson.loads(line)["destination"]["ip"] for line in done.output.splitlines()}


def _row(number: int, first_hour: int) -> Row:
    of, hour = number % 100_000, first_hour + number // 100_000
    destination = f"45.{83 + (of >> 16)}.{of >> 8 & 255}.{of & 255}"
    return Row(destination, "10.20.1.11", "ws-01", hour, hour * HOUR, hour * HOUR + 5)
