"""Finds the record that is to be explained: by its place, or by the finding that it belongs to."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from smbrare.detection.finding import Finding
from smbrare.detection.rank import ranked
from smbrare.errors import UsageError
from smbrare.inputs import remote
from smbrare.inputs.discovery import Input
from smbrare.inputs.readers.reader import ReaderOptions
from smbrare.limits import Limits
from smbrare.records import envelope
from smbrare.records.event import Document, Origin, Record, Skipped
from smbrare.records.fields import Malformed, ip
from smbrare.scanning.reading import parts, silent, unreadable
from smbrare.text import counted, name_from, some, utf_8_text

_NUMBERED = re.compile(r"(.+)[:#]([0-9]{1,18})", re.DOTALL)
_ID = re.compile(r"[0-9a-f]{8,32}")
"""The id of a finding, or how it begins."""

STDIN = "-"


class Target(Struct, frozen=True):
    """Which record to explain.

    Attributes:
        file: The file to open, or ``-`` for standard input.
        path: The file, with the member of an archive after ``!``, as records name it.
        number: Line, record or row, from 1; None for the only record there is.
    """

    file: str
    path: str
    number: int | None

    def __str__(self) -> str:
        return self.path if self.number is None else f"{self.path}:{self.number}"


def parse_target(text: str, exists: Callable[[str], bool]) -> Target:
    r"""Return what ``FILE:LINE``, ``FILE#RECORD`` or ``FILE`` names.

    A path may hold colons itself (``C:\logs\a.ndjson:12``, ``a:12``): the last number counts as
    the record's where a file of the name before it exists, or where none of the whole name does.

    Raises:
        UsageError: If the number is 0, or it is a URL.
    """
    if remote.is_remote(text):
        raise UsageError(f"{remote.shown(text)}: explain reads files alone; copy it first")
    text = utf_8_text(text)
    match = _NUMBERED.fullmatch(text)
    if match is not None:
        path, number = match[1], int(match[2])
        file = _file(path, exists)
        whole = _file(text, exists)
        if file is not None or whole is None:
            if not number:
                raise UsageError(f"{text}: lines and records are counted from 1")
            return Target(file or path, path, number)
    return Target(_file(text, exists) or text, text, None)


def is_file(path: str) -> bool:
    """Return whether a path names a regular file, which can be read again and again."""
    try:
        return Path(name_from(path)).is_file()
    except OSError:  # a name that the system does not accept
        return False


def _file(path: str, exists: Callable[[str], bool]) -> str | None:
    """Return the file of a path that may go on with the members of an archive after ``!``."""
    if path == STDIN or exists(path):
        return path
    while "!" in path:
        path = path.rpartition("!")[0]
        if exists(path):
            return path
    return None


def names_finding(text: str) -> bool:
    """Return whether a text is a destination or the id of a finding, rather than a record."""
    return _ID.fullmatch(text) is not None or bool(_address(text))


def _address(text: str) -> str:
    """Return an address in canonical text, empty for any other text."""
    try:
        return str(ip(text))
    except Malformed:
        return ""


def find_finding(text: str, judged: Sequence[Finding], inputs: Sequence[Input | Skipped]) -> Target:
    """Return the first record of the finding that a text names, of several the highest ranked.

    Args:
        text: A destination, or an id or how it begins.
        judged: What was found in the inputs, whatever its status.
        inputs: What was read.

    Raises:
        UsageError: If there is no such finding.
    """
    destination = _address(text)
    for finding in ranked(judged):
        if finding.sighting.destination == destination or (
            not destination and finding.id.startswith(text)
        ):
            origin = finding.sighting.origin
            files = (each.path for each in inputs if isinstance(each, Input))
            file = max((each for each in files if _is_in(origin.path, each)), key=len, default="")
            return Target(file or origin.path, origin.path, origin.number)
    read = counted(len(inputs), "input")
    raise UsageError(
        f"{text}: no finding in {read} has this destination or id, not even a suppressed one; "
        "smbrare inspect shows near misses"
    )


def in_inputs(target: Target, inputs: Sequence[Input | Skipped]) -> Target:
    """Return a target with the input that its path is the end of, if there is exactly one.

    So a row's ``a/x.ndjson:12`` means ``logs/a/x.ndjson:12`` where ``logs/`` is given.
    """
    if is_file(target.file):
        return target
    files = {
        each.path: f"{each.path}{target.path.removeprefix(target.path.partition('!')[0])}"
        for each in inputs
        if isinstance(each, Input) and f"/{each.path}".endswith(f"/{target.path.partition('!')[0]}")
    }
    if len(files) != 1:
        return target
    ((file, path),) = files.items()
    return Target(file, path, target.number)


def _is_in(path: str, file: str) -> bool:
    return path == file or path.startswith(f"{file}!")


def find(
    target: Target,
    limits: Limits,
    remember: Callable[[Document, Origin], None] | None = None,
) -> Record | Skipped:
    """Return the record that a target names, or why it cannot be read.

    Args:
        target: Which record.
        limits: What is too large to read.
        remember: Called with every event of the input, which is read to its end then.

    Raises:
        UsageError: If there is no such record, or several are meant.
    """
    matches: list[tuple[str, Record | Skipped]] = []
    last: Record | Skipped | None = None
    try:
        for path, item in _items(target, limits):
            last = item if _is_in(path, target.path) else last
            if remember is not None and isinstance(item, Record):
                for document in envelope.events(item.document):
                    remember(document, item.origin)
            if target.number in {None, item.origin.number} and _is_in(path, target.path):
                matches.append((path, item))
                exact = target.number is not None and path == target.path
                if remember is None and (exact or len(matches) > 1):
                    break
    except OSError as error:
        if not matches:
            return unreadable(target.path, 0, error)
    return _choose(target, matches, last)


def _items(target: Target, limits: Limits) -> Iterator[tuple[str, Record | Skipped]]:
    with parts(Input(target.file, named=True, size=None), limits, silent) as (_, each):
        for part in each:
            for item in part.read(ReaderOptions(limits)).items:
                if isinstance(item, Record | Skipped):
                    yield part.path, item


def _choose(
    target: Target, matches: list[tuple[str, Record | Skipped]], last: Record | Skipped | None
) -> Record | Skipped:
    if len({path for path, _ in matches}) > 1:
        names = [f"{path}:{item.origin.number}" for path, item in matches]
        raise UsageError(f"{target} could mean several records: {some(names)}")
    if len(matches) > 1 and target.number is None:
        # A bare -:1 would be taken for an option.
        stdin = "-- " if target.file == STDIN else ""
        raise UsageError(
            f"{target} contains several records: give the line or number of one, "
            f"such as smbrare explain {stdin}{target}:1"
        )
    if matches:
        return matches[0][1]
    if isinstance(last, Skipped) and last.ends_input:
        place = Origin(target.path, target.number or last.origin.number)
        return replace(last, origin=place, reason=f"not reached: {last.reason}, at {last.origin}")
    there = "there is none at all" if last is None else f"the last one is {last.origin.number}"
    raise UsageError(f"{target}: no such record; {there}")
