"""A baseline as canonical JSON: the same bytes for the same sightings, however they were learnt.

Rows stand in the order of their keys, one a line, covered hours as the longest spans. Hours that
are known from a sample only depend on what was sampled together, so they are left out.
"""

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain, groupby
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import ijson
import orjson

from smbrare.baseline.location import locate
from smbrare.baseline.store import Baseline
from smbrare.detection.sightings import Row
from smbrare.errors import BaselineError
from smbrare.records.fields import Malformed, ip
from smbrare.records.times import HOUR, LATEST, date, format_time
from smbrare.text import json_visible

FORMAT = "smbrare baseline"
VERSION = 1

_MOST_HOURS = 1_000_000
"""More covered hours than any log holds: a wrong file must not fill the memory."""

Item = TypeVar("Item")


def export(baseline: Baseline) -> Iterator[str]:
    """Yield the text of an export.

    Raises:
        BaselineError: If the baseline cannot be read.
    """
    # Checked before anything is written.
    rows = baseline.rows()
    head = {
        "format": FORMAT,
        "version": VERSION,
        "settings": dict(sorted(baseline.settings.items())),
    }
    yield "{\n"
    for name, value in head.items():
        yield f"{json.dumps(name)}: {_text(value)},\n"
    exact = [hour for hour, sampled in baseline.covered().items() if not sampled]
    yield from _listed("covered", _spans(exact))
    yield ",\n"
    yield from _listed("sightings", map(_sighting, rows))
    yield "\n}\n"


def sampled_hours(baseline: Baseline) -> int:
    """Return how many covered hours an export leaves out."""
    return sum(baseline.covered().values())


def _text(value: Any) -> str:
    return json_visible(orjson.dumps(value).decode())


def _listed(name: str, items: Iterable[dict[str, str]]) -> Iterator[str]:
    separator = f"{json.dumps(name)}: [\n"
    empty = separator
    for item in items:
        yield separator + _text(item)
        separator = ",\n"
    yield f"{json.dumps(name)}: []" if separator is empty else "\n]"


def _spans(hours: Iterable[int]) -> Iterator[dict[str, str]]:
    """Yield the spans of hours that follow one another."""
    numbered = enumerate(sorted(hours))
    for _, span in groupby(numbered, key=lambda each: each[1] - each[0]):
        run = [hour for _, hour in span]
        yield {"from": format_time(run[0] * HOUR), "until": format_time((run[-1] + 1) * HOUR)}


def _sighting(row: Row) -> dict[str, str]:
    return {
        "destination": row.destination,
        "source": row.source,
        "host": row.host,
        "first": format_time(row.first),
        "last": format_time(row.last),
    }


class Export:
    """An export, read as a baseline is.

    Attributes:
        path: The file.
        settings: What the baseline was kept with.
    """

    def __init__(self, path: Path) -> None:
        """Open an export.

        Raises:
            BaselineError: If it is none, or one of a later version.
        """
        self.path = path
        form = self._first("format", str)
        version = self._first("version", str)
        if form != FORMAT:
            raise BaselineError(f"{path} is no export of a baseline")
        if version != str(VERSION):
            raise BaselineError(
                f"{path} is an export of version {version}; this smbrare reads version {VERSION}"
            )
        self.settings = self._first("settings", _settings)

    def rows(self) -> Iterator[Row]:
        """Yield the rows in the order of the file.

        Raises:
            BaselineError: If the file does not hold them to its end.
        """
        yield from self._items("sightings.item", _row)

    def covered(self) -> dict[int, bool]:
        """Return the covered hours; none of them is from a sample.

        Raises:
            BaselineError: If the file does not hold them to its end.
        """
        hours: dict[int, bool] = {}
        for start, end in self._items("covered.item", _hours):
            if len(hours) + end - start > _MOST_HOURS:
                raise BaselineError(f"{self.path} covers more hours than any log")
            hours.update(dict.fromkeys(range(start, end), False))
        return hours

    def _first(self, path: str, convert: Callable[[Any], Item]) -> Item:
        with closing(self._items(path, convert)) as items:
            for item in items:
                return item
        raise BaselineError(f"{self.path} is no export of a baseline: it has no {path!r}")

    def _items(self, path: str, convert: Callable[[Any], Item]) -> Generator[Item, None, None]:
        with self._explained(), self.path.open("rb") as file:
            for item in ijson.items(file, path):
                yield convert(item)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BaselineError(f"{self.path} cannot be read: {error.strerror}") from None
        except (ijson.JSONError, UnicodeError, RecursionError):
            raise BaselineError(f"{self.path} is no export, or cut off or damaged") from None
        except (KeyError, TypeError, ValueError) as error:
            raise BaselineError(f"{self.path} holds what no export does: {error}") from None


def is_export(path: Path) -> bool:
    """Return whether a file is JSON rather than a baseline's own file, by its first character."""
    try:
        with path.open("rb") as file:
            return file.read(64).lstrip().startswith(b"{")
    except OSError:
        return False


def _settings(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise TypeError("settings that are no texts")
    return value


def _time(value: Any) -> int:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} for a time")
    return date(value).time


def _hours(item: Any) -> tuple[int, int]:
    start, end = _time(item["from"]), _time(item["until"])
    # The hour after the calendar's last has no name.
    end += end == LATEST
    if start % HOUR or end % HOUR or end <= start:
        raise ValueError(f"no span of full hours: {item}")
    return start // HOUR, end // HOUR


def _row(item: Any) -> Row:
    first, last = _time(item["first"]), _time(item["last"])
    hour, host = first // HOUR, item["host"]
    if last < first or last // HOUR != hour:
        raise ValueError(f"sightings that are not of one hour: {item}")
    for name in ("destination", "source"):
        if str(_address(item[name])) != item[name]:
            raise ValueError(f"no address: {item[name]!r}")
    if not isinstance(host, str):
        raise TypeError(f"{host!r} for a host")
    host.encode()
    return Row(item["destination"], item["source"], host, hour, first, last)


def _address(value: Any) -> object:
    try:
        return ip(value)
    except Malformed:
        raise ValueError(f"no address: {value!r}") from None


Memory: TypeAlias = Baseline | Export
"""What was learnt: a baseline, or an export of one."""


def open_memory(name: str) -> Memory:
    """Return a baseline by its name or file, or an export by its file.

    Raises:
        BaselineError: If it is neither, or damaged.
    """
    path = locate(name)
    return Export(path) if is_export(path) else Baseline(path)


def merge_into(sources: Sequence[Memory], path: Path) -> Baseline:
    """Write what any of some baselines has seen into one file, in one transaction.

    Args:
        sources: What to merge; all of them kept with the same settings.
        path: The file. If it exists, it has to be one of the sources, and takes in the others.

    Raises:
        BaselineError: If settings differ, the file is another one, or anything cannot be read
            or written; the file is unchanged then.
    """
    first, *others = sources
    for other in others:
        if other.settings != first.settings:
            raise BaselineError(
                f"{other.path} is kept with {_settings_of(other)}, "
                f"{first.path} with {_settings_of(first)}"
            )
    if path.exists() and not any(_is_same(source.path, path) for source in sources):
        raise BaselineError(f"{path} exists; to add to it, name it among those to merge")
    target = Baseline(path, first.settings)
    added = [source for source in sources if not (path.exists() and _is_same(source.path, path))]
    hours: dict[int, bool] = {}
    for source in added:
        for hour, sampled in source.covered().items():
            hours[hour] = sampled and hours.get(hour, True)
    target.check_writable()
    target.commit(chain.from_iterable(source.rows() for source in added), hours)
    return target


def _is_same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _settings_of(memory: Memory) -> str:
    return ", ".join(f"{name} {value!r}" for name, value in sorted(memory.settings.items()))
