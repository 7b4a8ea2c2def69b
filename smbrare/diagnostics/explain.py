"""Finds one record of an input, and explains it with the rest of the input as its history."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from smbrare.baseline.store import Baseline
from smbrare.detection.criteria import Criteria
from smbrare.detection.examine import examine
from smbrare.detection.host_context import HostContext
from smbrare.detection.partial import Partial
from smbrare.detection.sightings import Sightings
from smbrare.detection.survey import InputSurvey
from smbrare.diagnostics.explanation import Explanation, Rarity, explain_event, judge_rarity
from smbrare.errors import EXIT_CLEAN, EXIT_UNJUDGED, EXIT_UNREADABLE, UsageError
from smbrare.inputs import remote
from smbrare.inputs.discovery import Input
from smbrare.inputs.readers.reader import ReaderOptions
from smbrare.limits import Limits
from smbrare.records import envelope
from smbrare.records.event import Document, Origin, Record, Skipped
from smbrare.records.read_options import ReadOptions
from smbrare.scanning.gathering import gather
from smbrare.scanning.reading import Progress, parts, unreadable
from smbrare.scanning.scan import known_history
from smbrare.scanning.second_pass import Pass, place_of, trace
from smbrare.text import name_from, some, utf_8_text

_NUMBERED = re.compile(r"(.+)[:#]([0-9]{1,18})", re.DOTALL)

STDIN = "-"


class Explained(Struct, frozen=True):
    """What is said of a record.

    Attributes:
        origin: Where it stands.
        options: How it was read.
        criteria: How rarity was asked.
        skipped: Why it could not be read; None if it could.
        events: The events in it, one unless the record is an envelope of several.
        baseline_exists: Whether the baseline that was named holds anything yet.
        rest_cut: Whether the rest of the input, which is history, could not be read to its end.
    """

    origin: Origin
    options: ReadOptions
    criteria: Criteria
    skipped: Skipped | None = None
    events: tuple[Explanation, ...] = ()
    baseline_exists: bool = False
    rest_cut: bool = False

    @property
    def exit_code(self) -> int:
        """3 for a record that cannot be read, 4 where no event of it is judged, else 0."""
        if self.skipped is not None:
            return EXIT_UNREADABLE
        if not any(event.judged for event in self.events):
            return EXIT_UNJUDGED
        return EXIT_CLEAN


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

    Args:
        text: What the user gave.
        exists: Whether a path names a file.

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


def explain(
    target: Target,
    options: ReadOptions,
    criteria: Criteria,
    baseline: Baseline | None,
    progress: Progress,
) -> Explained:
    """Return why a record is a sighting or none, and a finding or none.

    The rest of the input is read only for a sighting, whose history it is; what cannot be read
    twice, as standard input, is read to its end at once.

    Args:
        target: Which record.
        options: How to read.
        criteria: How to judge.
        baseline: What else is history; it is only read.
        progress: Called as bytes are read.

    Raises:
        UsageError: If there is no such record, or several are meant.
        BaselineError: If the baseline cannot be read.
    """
    rest = Partial()
    once = target.file == STDIN or not is_file(target.file)
    remember = _examiner(target.file, options, rest) if once else None
    found = find(target, options.limits, progress, remember)
    if isinstance(found, Skipped):
        return Explained(found.origin, options, criteria, skipped=found)
    documents = list(envelope.events(found.document))
    events = [explain_event(document, options) for document in documents]
    if any(event.sighting for event in events):
        if not once:
            rest = gather([Input(target.file, named=True, size=None)], options, progress)
        owns = [_examine_alone(document, found.origin, options) for document in documents]
        second = _second_pass(owns, target, options, progress, once=once)
        if once:
            second.answers = rest.answers
        history = known_history(rest, criteria, baseline)
        events = [
            replace(
                event,
                rarity=_with_queries(
                    judge_rarity(own.sightings, rest.sightings, history, criteria), own, second
                ),
                host_context=_host_context(own.sightings, second),
            )
            for event, own in zip(events, owns, strict=True)
        ]
    return Explained(
        found.origin,
        options,
        criteria,
        events=tuple(events),
        baseline_exists=baseline is not None and baseline.path.exists(),
        rest_cut=any(survey.cut for survey in rest.surveys),
    )


def _examiner(
    path: str, options: ReadOptions, partial: Partial
) -> Callable[[Document, Origin], None]:
    """Return a function that adds the sightings of an event to a partial."""
    survey = InputSurvey(path)
    return lambda document, origin: examine(document, origin, options, survey, partial)


def _examine_alone(document: Document, origin: Origin, options: ReadOptions) -> Partial:
    """Return the sightings of one event."""
    own = Partial()
    _examiner(origin.path, options, own)(document, origin)
    return own


def _second_pass(
    owns: Iterable[Partial],
    target: Target,
    options: ReadOptions,
    progress: Progress,
    *,
    once: bool,
) -> Pass:
    """Look for what happened around sightings, in the input unless it can be read but once."""
    earliest = [contact.earliest for own in owns for contact in own.sightings.contacts.values()]
    return trace(
        [place for sighting in earliest if (place := place_of(sighting)) is not None],
        [sighting.destination for sighting in earliest],
        # No size says that an input cannot be read again, and which size it is does not matter.
        [Input(target.file, named=True, size=None if once else 0)],
        options,
        progress,
    )


def _with_queries(answers: Iterable[Rarity], own: Partial, second: Pass) -> tuple[Rarity, ...]:
    """Return answers with the DNS queries that their destinations answered."""
    hosts = {contact.earliest.host for contact in own.sightings.contacts.values()}
    host = min(hosts, default="")
    return tuple(
        replace(answer, queries=second.answers.of(answer.destination, host)) for answer in answers
    )


def _host_context(sighted: Sightings, second: Pass) -> HostContext | None:
    """Return what happened around an event, None if it is no sighting."""
    for contact in sighted.contacts.values():
        return second.host_context(contact.earliest)
    return None


def find(
    target: Target,
    limits: Limits,
    progress: Progress,
    remember: Callable[[Document, Origin], None] | None = None,
) -> Record | Skipped:
    """Return the record that a target names, or why it cannot be read.

    Args:
        target: Which record.
        limits: What is too large to read.
        progress: Called as bytes are read.
        remember: Called with every event of the input, which is read to its end then.

    Raises:
        UsageError: If there is no such record, or several are meant.
    """
    matches: list[tuple[str, Record | Skipped]] = []
    last: Record | Skipped | None = None
    try:
        for path, item in _items(target, limits, progress):
            last = item if _is_within(path, target) else last
            if remember is not None and isinstance(item, Record):
                for document in envelope.events(item.document):
                    remember(document, item.origin)
            if target.number in {None, item.origin.number} and _is_within(path, target):
                matches.append((path, item))
                exact = target.number is not None and path == target.path
                if remember is None and (exact or len(matches) > 1):
                    break
    except OSError as error:
        if not matches:
            return unreadable(target.path, 0, error)
    return _choose(target, matches, last)


def _items(
    target: Target, limits: Limits, progress: Progress
) -> Iterator[tuple[str, Record | Skipped]]:
    with parts(Input(target.file, named=True, size=None), limits, progress) as (_, each):
        for part in each:
            for item in part.read(ReaderOptions(limits)).items:
                if isinstance(item, Record | Skipped):
                    yield part.path, item


def _is_within(path: str, target: Target) -> bool:
    return path == target.path or path.startswith(f"{target.path}!")


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
            f"{target} holds several records: name one by its line or number, "
            f"as in smbrare explain {stdin}{target}:1"
        )
    if matches:
        return matches[0][1]
    if isinstance(last, Skipped) and last.ends_input:
        place = Origin(target.path, target.number or last.origin.number)
        return replace(last, origin=place, reason=f"not reached: {last.reason}, at {last.origin}")
    where = "holds none" if last is None else f"has its last at {last.origin.number}"
    raise UsageError(f"{target}: no record stands there; {target.path} {where}")
