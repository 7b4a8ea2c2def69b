"""Types of option values: durations, times, time zones, and names of files for the shell."""

import re
import time
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from smbrare.baseline.location import locate
from smbrare.cli.exclusion_file import network
from smbrare.detection.exclusions import Exclusion, range_text
from smbrare.errors import BaselineError
from smbrare.limits import NAMES, parse
from smbrare.records.fields import Malformed
from smbrare.records.times import DAY, MICROSECONDS, date, format_time, from_number
from smbrare.rule.networks import Network
from smbrare.text import duration

_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60}
_DURATION = re.compile(r"(?:[0-9]{1,6}[wdhm])+")
_PART = re.compile(r"([0-9]+)([wdhm])")
_HOUR = 3_600


def _seconds(value: str) -> int | None:
    """Return a duration in seconds, or None where the text is none."""
    if not _DURATION.fullmatch(value):
        return None
    return sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(value))


class Duration(click.ParamType[int]):
    """A duration of a minute or more in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return seconds."""
        if not isinstance(value, str):
            return value
        total = _seconds(value)
        if not total:
            self.fail(f"{value!r} is no duration such as 5m, 1h30m or 7d", param, ctx)
        return total


class HistoryLength(click.ParamType[int | None]):
    """A duration of an hour or more in seconds, or ``all`` (None)."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return seconds, or None for all time."""
        if not isinstance(value, str):
            return value
        if value == "all":
            return None
        total = _seconds(value)
        if total is None:
            self.fail(f"{value!r} is no duration such as 7d, 36h, 1d12h, or all", param, ctx)
        if total < _HOUR:
            self.fail("the history has to be an hour or more", param, ctx)
        return total

    def spell(self, value: int | None) -> str:
        """Return a value as a user writes it."""
        return "all" if value is None else duration(value).replace(" ", "")


class Time(click.ParamType[int]):
    """A point in time in microseconds since 1970, UTC where the text names no zone.

    By the clock: ``now``, ``today``, ``yesterday`` (days of UTC), and a duration from now.
    """

    name = "time"

    def __init__(self, *, ahead: bool = False) -> None:
        """Make one whose durations lie ahead of now, not behind."""
        self._sign = 1 if ahead else -1

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return microseconds."""
        if isinstance(value, int):
            return value
        now = time.time_ns() // 1_000
        today = now - now % DAY
        words = {"now": now, "today": today, "yesterday": today - DAY}
        try:
            if distance := _seconds(value):
                return from_number(now + self._sign * distance * MICROSECONDS, MICROSECONDS).time
            return words[value] if value in words else date(value).time
        except Malformed:
            examples = "2026-11-20, 2026-11-20T08:00Z, yesterday or 24h"
            self.fail(f"{value!r} is not a time such as {examples}", param, ctx)

    def spell(self, value: int) -> str:
        """Return a value as a user writes it."""
        return format_time(value)


class Zone(click.ParamType[tzinfo]):
    """A time zone by its IANA name."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the zone."""
        if isinstance(value, tzinfo):
            return value
        if value == "UTC":
            return UTC
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - for other zones alone

        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.fail(f"{value!r} is no time zone such as UTC or Europe/Berlin", param, ctx)


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


class Range(click.ParamType[Network]):
    """An address or a range of addresses."""

    name = "range"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the range."""
        try:
            return network(value) if isinstance(value, str) else value
        except ValueError as error:
            self.fail(f"{value!r} is {error}", param, ctx)


class Excluding(click.ParamType[Exclusion]):
    """A range of destinations that do not count."""

    name = "range"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the exclusion."""
        if isinstance(value, Exclusion):
            return value
        try:
            return Exclusion("command line", destination=(network(value),))
        except ValueError as error:
            self.fail(f"{value!r} is {error}", param, ctx)

    def spell(self, value: Exclusion) -> str:
        """Return a value as a user writes it."""
        return ", ".join(map(range_text, value.destination))


class LimitValue(click.ParamType[tuple[str, int]]):
    """A limit and its value, ``nesting=50`` or ``record-bytes=1MiB``."""

    name = "limit"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the limit's name and its number."""
        if not isinstance(value, str):
            return value
        name, equals, number = value.partition("=")
        if not equals:
            self.fail(f"{value!r} is no NAME=VALUE such as nesting=50", param, ctx)
        name = name.strip().replace("_", "-")
        try:
            return name, parse(name, number.strip())
        except ValueError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names that start so."""
        del ctx, param
        names = [f"{name}=" for name in NAMES if name.startswith(incomplete)]
        return [CompletionItem(name) for name in names]

    def spell(self, value: tuple[str, int]) -> str:
        """Return a value as a user writes it."""
        return f"{value[0]}={value[1]}"
