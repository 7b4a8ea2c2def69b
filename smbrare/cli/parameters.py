"""Types of option values: durations, times, time zones, and names of files for the shell."""

import re
import time
from collections.abc import Callable
from datetime import UTC, tzinfo
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import click
from click.shell_completion import CompletionItem

from smbrare.baseline.location import locate
from smbrare.cli.exclusion_file import network
from smbrare.detection.exclusions import Exclusion, range_text
from smbrare.errors import BaselineError
from smbrare.limits import NAMES, parse
from smbrare.records.times import DAY, HOUR_SECONDS, MICROSECONDS, date, format_time, from_number
from smbrare.text import duration

T = TypeVar("T")

_SECONDS = {"w": 604_800, "d": 86_400, "h": HOUR_SECONDS, "m": 60}
_DURATION = re.compile(r"(?:[0-9]{1,6}[wdhm])+")
_PART = re.compile(r"([0-9]+)([wdhm])")


class ReadValue(click.ParamType[T], Generic[T]):
    """A type of option whose text a function reads.

    Attributes:
        read: Returns the value of a text; may raise ValueError, whose message the user sees.
        spell: Returns a value as a user writes it.
    """

    def __init__(
        self, name: str, read: Callable[[str], T], spell: Callable[[T], str] = str
    ) -> None:
        self.name, self.read, self.spell = name, read, spell

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value; one that is no text has been read before."""
        try:
            return self.read(value) if isinstance(value, str) else value
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _seconds(text: str) -> int | None:
    """Return a duration in seconds, or None where the text is none."""
    if not _DURATION.fullmatch(text):
        return None
    return sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(text))


def _duration(text: str) -> int:
    if total := _seconds(text):
        return total
    raise ValueError(f"{text!r} is not a duration such as 5m, 1h30m or 7d")


def _history(text: str) -> int | None:
    if text == "all":
        return None
    total = _seconds(text)
    if total is None:
        raise ValueError(f"{text!r} is not a duration; try 7d, 36h, 1d12h, or all")
    if total < HOUR_SECONDS:
        raise ValueError("the history has to be an hour or more")
    return total


def _time(text: str, sign: int) -> int:
    now = time.time_ns() // 1_000
    today = now - now % DAY
    words = {"now": now, "today": today, "yesterday": today - DAY}
    try:
        if distance := _seconds(text):
            return from_number(now + sign * distance * MICROSECONDS, MICROSECONDS).time
        return words[text] if text in words else date(text).time
    except ValueError:
        examples = "2026-11-20, 2026-11-20T08:00Z, yesterday or 24h"
        raise ValueError(f"{text!r} is not a time such as {examples}") from None


def _zone(text: str) -> tzinfo:
    if text == "UTC":
        return UTC
    import zoneinfo  # noqa: PLC0415 - for other zones alone

    try:
        return zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        if not zoneinfo.available_timezones():
            raise ValueError(
                f"{text!r} cannot be looked up: this system has no time zones; install tzdata"
            ) from None
        raise ValueError(f"{text!r} is not a time zone such as UTC or Europe/Berlin") from None


def _limit(text: str) -> tuple[str, int]:
    name, equals, number = text.partition("=")
    if not equals:
        raise ValueError(f"{text!r} is not NAME=VALUE such as nesting=50")
    name = name.strip().replace("_", "-")
    return name, parse(name, number.strip())


DURATION = ReadValue("duration", _duration)
"""A minute or more, in seconds."""

HISTORY = ReadValue(
    "duration", _history, lambda value: "all" if value is None else duration(value).replace(" ", "")
)
"""An hour or more, in seconds, or ``all`` (None)."""

TIME = ReadValue("time", partial(_time, sign=-1), format_time)
"""Microseconds since 1970, UTC where the text names no zone.

By the clock: ``now``, ``today``, ``yesterday`` (days of UTC), and a duration before now.
"""

TIME_AHEAD = ReadValue("time", partial(_time, sign=1), format_time)
"""Likewise, with durations from now on."""

ZONE = ReadValue("zone", _zone)
"""A time zone by its IANA name."""

RANGE = ReadValue("range", network)
"""An address or a range of addresses."""

EXCLUSION = ReadValue(
    "range",
    lambda text: Exclusion("command line", destination=(network(text),)),
    lambda value: ", ".join(map(range_text, value.destination)),
)
"""A range of destinations that do not count."""


class LimitValue(ReadValue[tuple[str, int]]):
    """A limit and its value, ``nesting=50`` or ``record-bytes=1MiB``."""

    def __init__(self) -> None:
        super().__init__("limit", _limit, lambda value: f"{value[0]}={value[1]}")

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names that start so."""
        del ctx, param
        names = [f"{name}=" for name in NAMES if name.startswith(incomplete)]
        return [CompletionItem(name) for name in names]


class FileName(click.ParamType[str]):
    """A file, directory, glob or ``-``, as it is given; a shell completes it as a file."""

    name = "file"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Leave it to the shell."""
        del ctx, param
        return [CompletionItem(incomplete, type="file")]


class BaselineName(FileName):
    """A baseline's name or file; a shell completes the names in the user's state directory."""

    name = "baseline"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return it unchanged, if a file can have it."""
        try:
            locate(value)
        except BaselineError as error:
            self.fail(str(error), param, ctx)
        return value

    @staticmethod
    def is_path(value: str) -> bool:
        """Return whether it is a path, and not the name of one in the state directory."""
        try:
            return locate(value) == Path(value)
        except BaselineError:
            return False

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names that start so, or leave it to the shell where there are none."""
        names = sorted(path.stem for path in locate("any").parent.glob("*.db"))
        items = [CompletionItem(name) for name in names if name.startswith(incomplete)]
        return items or super().shell_complete(ctx, param, incomplete)
