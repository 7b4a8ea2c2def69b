"""The verdict: one line for every exit code, never an all-clear where something is unknown."""

from itertools import product
from typing import Any

import pytest
from msgspec.structs import replace

from smbrare.detection.criteria import Criteria
from smbrare.detection.exposure import JoinedEvent
from smbrare.detection.finding import Finding, History
from smbrare.detection.host_context import HostContext
from smbrare.detection.report import Report
from smbrare.detection.source_survey import SourceSurvey
from smbrare.detection.survey import InputSurvey, Span
from smbrare.errors import EXIT_CLEAN, EXIT_FINDINGS, EXIT_UNJUDGED, EXIT_UNREADABLE
from smbrare.outputs.verdict import comparison_verdict, says_all, verdict
from smbrare.records.event import Origin, Skipped
from smbrare.records.times import DAY, HOUR, MICROSECONDS, date
from smbrare.sources.activities.activity import Activity
from tests.support.findings import WEEK, finding
from tests.support.reports import report

ALL_CLEAR = ("nothing", "no smb", "all were evaluated", "no alert", "agree", "all evaluated")
START = date("2026-11-09T00:00:00Z").time
EVALUATED = SourceSurvey(records=820, network=820, connections=820, barred=820)
LACKING = SourceSurvey(records=2310, network=2310, connections=2310)
LACKING.absent["process.pid"] = 2310
COLD = History(6 * 3600, WEEK)


def survey(path: str = "week47.ndjson", **changes: Any) -> InputSurvey:
    facts: dict[str, Any] = {"records": 826, "sources": {"ecs": EVALUATED}, "container": "ndjson"}
    return InputSurvey(path, **(facts | changes))


GONE = survey("gone.ndjson", records=0, sources={}, container="")
GONE.skip(
    Skipped(
        Origin("gone.ndjson", 0), "No such file or directory", could_matter=True, ends_input=True
    )
)
CUT = survey("cut.ndjson")
CUT.skip(Skipped(Origin("cut.ndjson", 826), "cut off", could_matter=True, ends_input=True))
LOST = survey("lost.ndjson")
LOST.skip(Skipped(Origin("lost.ndjson", 3), "no JSON", could_matter=True))
HARMLESS = survey("harmless.ndjson")
HARMLESS.skip(Skipped(Origin("harmless.ndjson", 3), "no JSON", could_matter=False))
POOR = survey("edr-west.ndjson", sources={"winlogbeat": LACKING})
NOTES = survey("notes.txt", records=0, sources={}, container="", suspects=1)
NOTES.suspected.append(Origin("notes.txt", 0, 7))
SAMPLED = survey("large.ndjson", sampled=True, records=64_679)
GOOD = survey()
NEW = finding(outcomes=("success",))
OLD = finding(outcomes=("success",), history=COLD)
KNOWN = finding(status="known")
EXCLUDED = finding(status="excluded", reason="contract")


def made(
    *inputs: InputSurvey,
    judged: tuple[Finding, ...] = (),
    criteria: Criteria | None = None,
    **changes: Any,
) -> Report:
    return replace(
        report(),
        inputs=inputs,
        judged=judged,
        sightings=changes.pop("sightings", 9 * bool(judged)),
        criteria=criteria or Criteria(),
        span=Span(START, START + 7 * DAY - HOUR, set(), set()),
        **changes,
    )


NINE = "Nothing new in 820 network events of 7 days: 9 SMB connections to the internet"

CASES: list[tuple[Report, int, str]] = [
    (made(), 4, "No verdict: no input was read."),
    (made(GONE), 3, "No verdict: cannot read gone.ndjson: no such file."),
    (made(GONE, GONE), 3, "No verdict: none of 2 inputs could be read."),
    (made(GOOD, GONE), 3, "No verdict: 1 of 2 inputs could not be fully evaluated."),
    (made(GOOD, CUT, LOST), 3, "No verdict: 2 of 3 inputs could not be fully evaluated."),
    (made(LOST), 3, "No verdict: the input could not be fully evaluated"),
    (made(POOR), 4, "No verdict: none of 2,310 network events could be evaluated."),
    (made(GOOD, POOR), 4, "No verdict: 1 of 2 inputs could not be fully evaluated."),
    (made(NOTES), 4, "No verdict: the input could not be evaluated."),
    (made(NOTES, NOTES), 4, "No verdict: none of 2 inputs could be evaluated."),
    (made(GOOD, unseen=2), 4, "No verdict: no run reads 2 matching events without a time."),
    (made(GOOD), 0, "No SMB to the internet in 820 network events of 7 days. All were evaluated."),
    (made(HARMLESS), 0, "No SMB to the internet in 820 network events of 7 days."),
    (made(SAMPLED), 0, "No SMB to the internet in 64,679 records of 7 days."),
    (
        made(GOOD, judged=(KNOWN,)),
        0,
        f"{NINE}, all to destinations seen in the 7 days before.",
    ),
    (
        made(GOOD, judged=(EXCLUDED,)),
        0,
        f"{NINE}, all excluded.",
    ),
    (
        made(GOOD, sightings=9, criteria=Criteria(since=date("2026-11-12T00:00:00Z").time)),
        0,
        "Nothing new since 2026-11-12 00:00:00 (UTC) in 820 network events",
    ),
    (made(GOOD, judged=(NEW,)), 1, "1 new destination on the internet. 1 was connected to."),
    (
        made(GOOD, judged=(NEW,), criteria=Criteria(exit_zero=True)),
        0,
        "1 new destination on the internet in 820 network events of 7 days. 1 was connected to.",
    ),
    (
        made(GOOD, judged=(OLD,)),
        1,
        "Cold start: 1 destination, and at most 6 hours of logs before it. New cannot be told",
    ),
    (made(GOOD, judged=(NEW, OLD)), 1, "2 findings: 1 new destination on the internet."),
    (
        made(GOOD, judged=(NEW,), as_expected=True),
        0,
        "1 new destination on the internet in 820 network events of 7 days.",
    ),
    (made(GOOD, as_expected=False), 1, "Not as expected: see the differences."),
]


@pytest.mark.parametrize(("one", "code", "said"), CASES)
def test_the_first_line_is_the_answer(one: Report, code: int, said: str) -> None:
    assert one.exit_code == code
    assert verdict(one)[0].startswith(said)


INPUTS = (GOOD, GONE, CUT, LOST, HARMLESS, POOR, NOTES, SAMPLED)
JUDGED = ((), (NEW,), (OLD,), (KNOWN,), (EXCLUDED,), (NEW, OLD, KNOWN, EXCLUDED))
CRITERIA = [
    Criteria(exit_zero=zero, strict=strict, history=history, since=since)
    for zero, strict, history, since in product(
        (False, True), (False, True), (7 * DAY, None), (None, START + DAY)
    )
]


@pytest.mark.parametrize("judged", JUDGED)
@pytest.mark.parametrize("criteria", CRITERIA)
def test_every_combination_has_a_verdict_that_fits_its_exit_code(
    judged: tuple[Finding, ...], criteria: Criteria
) -> None:
    for one, other, unseen in product(INPUTS, (None, *INPUTS), (0, 2)):
        inputs = (one,) if other is None else (one, other)
        result = made(*inputs, judged=judged, criteria=criteria, unseen=unseen)
        for lines in (verdict(result), comparison_verdict(result, ())):
            text = " ".join(lines)
            if result.exit_code in {EXIT_UNREADABLE, EXIT_UNJUDGED}:
                assert not any(words in text.lower() for words in ALL_CLEAR), text
                assert text.startswith("No verdict: ") or "Not fully evaluated: " in text or unseen
            elif result.exit_code == EXIT_CLEAN:
                assert f"{sum(survey.network for survey in inputs):,} network event" in text or (
                    SAMPLED in inputs and "records of 7 days" in text
                ), text
            elif lines == verdict(result):
                assert result.exit_code == EXIT_FINDINGS
                assert "destination" in lines[0]


def test_the_verdict_alone_is_enough_only_where_nothing_was_opened() -> None:
    assert [says_all(made(*inputs)) for inputs in ((), (GONE,), (GONE, GOOD), (CUT,))] == [
        True,
        True,
        False,
        False,
    ]


def test_what_nobody_looked_for_is_not_said_to_be_absent() -> None:
    unlooked = verdict(made(GOOD, judged=(finding(),)))
    looked = verdict(made(GOOD, judged=(finding(host_context=HostContext()),)))
    cut = finding(host_context=HostContext(gaps=("pipes cannot be read again",)))
    partly = verdict(made(GOOD, judged=(cut,)))
    assert "--context reads the others" in unlooked[0]
    assert "the search is not complete: pipes cannot be read again." in partly[0]
    for lines in (unlooked, partly):
        assert "The logs contain no established connection" not in lines[0]
    assert "The logs contain no established connection, but not every outcome." in looked[0]


def test_times_of_a_short_span_are_hours() -> None:
    short = replace(made(GOOD), span=Span(START, START + 90 * 60 * MICROSECONDS, set(), set()))
    assert verdict(short)[0].startswith("No SMB to the internet in 820 network events of 2 hours.")


@pytest.mark.parametrize(
    ("users", "of_whom"),
    [
        ((), ""),
        (("CORP\\alice",), " of CORP\\alice"),
        (("CORP\\bob", "CORP\\Alice", "corp\\alice"), " of CORP\\Alice, CORP\\bob"),
        (("a\x1b[31m",), " of a\\x1b[31m"),
    ],
)
def test_whose_credentials_were_sent_comes_before_all_else(
    users: tuple[str, ...], of_whom: str
) -> None:
    sent = [
        Activity(START, "ntlm", "ws-01", user, shows="authentication") for user in users or ("",)
    ]
    told = finding(history=COLD, evidence=tuple(JoinedEvent(each, ("address",)) for each in sent))
    address = told.sighting.destination
    first, second, *_ = verdict(made(GOOD, judged=(told,)))
    assert first == f"Credentials{of_whom} were sent to {address}."
    assert second.startswith("Cold start: ")
    elsewhere = replace(told.sighting, destination="91.219.236.18")
    at_two = (told, replace(told, sighting=elsewhere))
    assert f"Credentials{of_whom} were sent to 2 destinations." in verdict(
        made(GOOD, judged=at_two)
    )
