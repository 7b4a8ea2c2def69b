"""Finds one record of an input, and explains it with the rest of the input as its history."""

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from smbrare.baseline.store import Baseline
from smbrare.detection import rarity
from smbrare.detection.criteria import Criteria
from smbrare.detection.dns import Answers
from smbrare.detection.examine import examine
from smbrare.detection.finding import Finding
from smbrare.detection.host_context import place_of
from smbrare.detection.partial import Partial
from smbrare.detection.sightings import Sightings
from smbrare.detection.survey import InputSurvey
from smbrare.diagnostics.explanation import Explanation, Rarity, explain_event, judge_rarity
from smbrare.diagnostics.target import STDIN, Target, find, is_file
from smbrare.errors import EXIT_CLEAN, EXIT_UNJUDGED, EXIT_UNREADABLE
from smbrare.inputs.discovery import Input
from smbrare.records import envelope
from smbrare.records.event import Document, Origin, Skipped
from smbrare.records.read_options import ReadOptions
from smbrare.scanning.gathering import gather
from smbrare.scanning.reading import silent
from smbrare.scanning.scan import known_history
from smbrare.scanning.second_pass import Pass, trace


class Explained(Struct, frozen=True):
    """What is said of a record.

    Attributes:
        origin: Where it stands.
        options: How it was read.
        criteria: How rarity was asked.
        skipped: Why it could not be read; None if it could.
        events: The events in it, one unless the record is an envelope of several.
        baseline_exists: Whether the baseline that was named holds anything yet.
        rest_cut: Whether the rest of the inputs, which is history, could not be read to its end.
        inputs: How many inputs are history.
    """

    origin: Origin
    options: ReadOptions
    criteria: Criteria
    skipped: Skipped | None = None
    events: tuple[Explanation, ...] = ()
    baseline_exists: bool = False
    rest_cut: bool = False
    inputs: int = 1

    @property
    def exit_code(self) -> int:
        """3 for a record that cannot be read, 4 where no event of it is judged, else 0."""
        if self.skipped is not None:
            return EXIT_UNREADABLE
        if not any(event.judged for event in self.events):
            return EXIT_UNJUDGED
        return EXIT_CLEAN


def explain(
    target: Target,
    options: ReadOptions,
    criteria: Criteria,
    baseline: Baseline | None,
    inputs: Sequence[Input | Skipped] = (),
) -> Explained:
    """Return why a record is, or isn't, a match and a finding.

    The rest of the input, and other inputs, are read only for a match, whose history they are;
    what cannot be read twice, as standard input, is read to its end at once.

    Args:
        target: Which record.
        options: How to read.
        criteria: How to judge.
        baseline: What else is history; it is only read.
        inputs: What is history too.

    Raises:
        UsageError: If there is no such record, or several are meant.
        BaselineError: If the baseline cannot be read.
    """
    rest = Partial()
    others = [each for each in inputs if isinstance(each, Skipped) or each.path != target.file]
    once = target.file == STDIN or not is_file(target.file)
    remember = _examiner(target.file, options, rest) if once else None
    found = find(target, options.limits, remember)
    if isinstance(found, Skipped):
        return Explained(found.origin, options, criteria, skipped=found)
    documents = list(envelope.events(found.document))
    events = [explain_event(document, options) for document in documents]
    if any(event.sighting for event in events):
        own = [] if once else [Input(target.file, named=True, size=None)]
        rest.merge(gather([*own, *others], options, silent))
        owns = [_examine_alone(document, found.origin, options) for document in documents]
        # No size says that an input cannot be read again, and which size it is does not matter.
        again = Input(target.file, named=True, size=None if once else 0)
        second = _second_pass(owns, [again, *others], options)
        if once:
            second.answers = rest.answers
        history = known_history(rest, criteria, baseline)
        events = [
            replace(
                event,
                rarity=_with_queries(
                    judge_rarity(own.sightings, rest.sightings, history, criteria), own, second
                ),
                finding=_as_finding(own.sightings, second, criteria),
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
        inputs=1 + len(others),
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
    inputs: Iterable[Input | Skipped],
    options: ReadOptions,
) -> Pass:
    """Look for what happened around sightings, in the inputs that can be read again."""
    earliest = [
        own.sightings.least([contact]) for own in owns for contact in own.sightings.contacts()
    ]
    return trace(
        [place for sighting in earliest if (place := place_of(sighting)) is not None],
        Answers(wanted=frozenset(sighting.destination for sighting in earliest)),
        inputs,
        options,
        silent,
    )


def _with_queries(answers: Iterable[Rarity], own: Partial, second: Pass) -> tuple[Rarity, ...]:
    """Return answers with the DNS queries that their destinations answered."""
    hosts = {contact.key[2] for contact in own.sightings.contacts()}
    host = min(hosts, default="")
    return tuple(
        replace(answer, queries=second.answers.of(answer.destination, host)) for answer in answers
    )


def _as_finding(sighted: Sightings, second: Pass, criteria: Criteria) -> Finding | None:
    """Return an event as a finding with what happened around it, None if it is no sighting."""
    for finding in rarity.judge(sighted, rarity.Known(), criteria):
        return second.look_around(finding)
    return None
