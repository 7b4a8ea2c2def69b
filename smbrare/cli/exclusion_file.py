"""The file of exclusions: TOML, one ``[[exclusion]]`` each."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeAlias

from smbrare.cli import writing
from smbrare.cli.toml_file import TomlText, parse, read, unknown_key
from smbrare.detection.exclusions import Exclusion, range_text
from smbrare.errors import UsageError
from smbrare.records.fields import Malformed
from smbrare.records.times import HOUR, format_time
from smbrare.records.times import date as moment
from smbrare.rule.networks import NOT_INTERNET, Network
from smbrare.text import visible

_DOMAIN = re.compile(r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")

Convert: TypeAlias = Callable[[Any], Any]
"""From a value of TOML to one of an exclusion.

Raises:
    ValueError: If it is none; the message says why.
"""


def network(value: Any) -> Network:
    """Return a range of addresses, or a single one.

    Raises:
        ValueError: If it is none; the message says why.
    """
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a range of addresses")
    try:
        return ip_network(value)
    except ValueError as error:
        raise ValueError(f"{value!r} is not a range of addresses: {error}") from None


def _host(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is not a pattern of host names")
    return value.lower()


def _domain(value: Any) -> str:
    name = value.lower().rstrip(".") if isinstance(value, str) else ""
    if not _DOMAIN.fullmatch(name):
        raise ValueError(f"{value!r} is not a domain such as files.example.com or *.example.com")
    return name


def _reason(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("the reason has to say something")
    return value.strip()


def _hour(value: Any) -> int:
    """Return a whole hour, counted since 1970; what names no zone is UTC."""
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    text = value.isoformat() if isinstance(value, datetime) else value
    try:
        time = moment(text).time
    except Malformed:
        raise ValueError(f"{value!r} is not a time such as 2026-11-20T08:00Z") from None
    if time % HOUR:
        raise ValueError(f"{text} is not a full hour in UTC: matches are kept by the hour")
    return time // HOUR


def _several(convert: Convert) -> Convert:
    def each(value: Any) -> tuple[Any, ...]:
        values = value if isinstance(value, list) else [value]
        if not values:
            raise ValueError("an empty list admits nothing")
        return tuple(map(convert, values))

    return each


_KEYS: dict[str, tuple[str, Convert]] = {
    "reason": ("reason", _reason),
    "destination": ("destination", _several(network)),
    "source": ("source", _several(network)),
    "host": ("host", _several(_host)),
    "domain": ("domain", _several(_domain)),
    "from": ("start", _hour),
    "until": ("until", _hour),
    "expires": ("expires", _hour),
}
"""Key in the file → attribute of an exclusion, and how to read it."""

_CONDITIONS = ("destination", "source", "host", "domain")


def exclusions(text: TomlText) -> list[Exclusion]:
    """Return the exclusions of a file in their order.

    Raises:
        UsageError: If the file says anything else, with the line.
    """
    for key in text.values:
        if key != "exclusion":
            text.fail(text.line_of(key), unknown_key(key, ["exclusion"]))
    entries = text.values.get("exclusion", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        text.fail(text.line_of("exclusion"), "exclusions are written as [[exclusion]]")
    headers = text.headers("exclusion")
    if len(headers) != len(entries):
        # Written in line, all of them at one place.
        headers = [text.line_of("exclusion")] * len(entries)
    return [_exclusion(entry, header, text) for entry, header in zip(entries, headers, strict=True)]


def _exclusion(entry: dict[str, Any], header: int, text: TomlText) -> Exclusion:
    given: dict[str, Any] = {}
    for key, value in entry.items():
        line = text.line_of(key, header)
        if key not in _KEYS:
            text.fail(line, unknown_key(key, _KEYS))
        attribute, convert = _KEYS[key]
        try:
            given[attribute] = convert(value)
        except (TypeError, ValueError) as error:
            text.fail(line, f"{key}: {error}")
    if "reason" not in given:
        text.fail(header, "an exclusion needs a reason")
    if not any(condition in given for condition in _CONDITIONS):
        text.fail(header, f"an exclusion needs one of {', '.join(_CONDITIONS)}")
    for end in ("until", "expires"):
        if end in given and given[end] <= given.get("start", given[end] - 1):
            text.fail(text.line_of(end, header), f"{end} is not after from")
    return Exclusion(**given)


def add(path: Path, exclusion: Exclusion) -> Exclusion | None:
    """Add an exclusion of one destination to a file; what is in the file stays as it is.

    Returns:
        One that is in the file already and excludes as much; then nothing is added.

    Raises:
        UsageError: If the file cannot be used, or the exclusion could never apply.
        OutputError: If the file cannot be written.
    """
    (network,), reason = exclusion.destination, exclusion.reason
    if any(_contains(internal, network) for internal in NOT_INTERNET):
        raise UsageError(f"{range_text(network)} is not on the internet: the rule ignores it")
    if not reason or visible(reason) != reason:
        raise UsageError("--reason: give one line of text")
    text = read(path) if path.exists() else ""
    for one in exclusions(parse(text.removeprefix("\ufeff"), str(path))):
        if _includes(one, exclusion):
            return one
    lines = ["[[exclusion]]", f"reason = {quoted(reason)}"]
    lines.append(f"destination = {quoted(range_text(network))}")
    if exclusion.expires is not None:
        lines.append(f"expires = {format_time(exclusion.expires * HOUR)}")
    end = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text else end if text.endswith("\n") else 2 * end
    text += gap + end.join([*lines, ""])
    # What is written has to be read again, whatever stood in the file before.
    try:
        exclusions(parse(text.removeprefix("\ufeff"), str(path)))
    except UsageError:
        raise UsageError(f"{path} contains an inline list: add {lines[2]} by hand") from None
    writing.write([text], path)
    return None


def quoted(text: str) -> str:
    """Return a text without control characters as a string of TOML."""
    return json.dumps(text, ensure_ascii=False)


def _includes(one: Exclusion, other: Exclusion) -> bool:
    """Return whether an exclusion excludes at least as much as one of a destination alone."""
    ends = [end for end in (one.until, one.expires) if end is not None]
    return (
        not (one.source or one.host or one.domain or one.start is not None)
        and any(_contains(wide, other.destination[0]) for wide in one.destination)
        and (not ends or (other.expires is not None and other.expires <= min(ends)))
    )


def _contains(wide: Network, narrow: Network) -> bool:
    return wide.version == narrow.version and narrow.subnet_of(wide)  # type: ignore[arg-type]
