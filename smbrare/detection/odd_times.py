"""Times of events that may be read wrongly, counted in their inputs."""

from smbrare.detection.survey import InputSurvey, OddTimes, TimeOddity
from smbrare.records.event import Origin
from smbrare.records.paths import leaves
from smbrare.records.times import YEAR_2000, Moment
from smbrare.sources.mapping import View

_LONGEST_SHOWN = 60
"""Characters of a time's raw value that a warning shows."""


def note_doubtful_time(view: View, moment: Moment, survey: InputSurvey) -> None:
    """Count a network event in its input if its time may be read wrongly."""
    if moment.time < YEAR_2000 or moment.order_assumed:
        kind: TimeOddity = "early" if moment.time < YEAR_2000 else "ambiguous"
        survey.note_odd_time(kind, OddTimes(1, *_raw_time(view), moment.time))


def note_undated(view: View, origin: Origin, survey: InputSurvey) -> None:
    """Count a match without a time in its input."""
    survey.note_odd_time("undated", OddTimes(1, *_raw_time(view), origin=origin))


def _raw_time(view: View) -> tuple[str, str]:
    """Return the raw field of an event's time and its value, both empty if it has none."""
    reading = view.time()
    raw = reading.malformed or leaves(view.document, reading.path) if reading.path else ()
    return (reading.path, str(raw[0])[:_LONGEST_SHOWN]) if raw else ("", "")
