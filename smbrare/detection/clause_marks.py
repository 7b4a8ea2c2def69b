"""What each field of the rule says of an event, in the order of its clauses, as a few bits.

They depend on a field's value alone, so they are worked out once for each raw value (see
`compiled`), and nearly every event is judged and counted by them without reading anything more.
"""

from smbrare.records.event import Reading
from smbrare.rule.predicate import CLAUSES
from smbrare.sources.compiled import FieldNotes
from smbrare.sources.ordinary_values import ORDINARY, is_ordinary, words

FAILS = 1
"""The clause does not hold."""
ODD = 2
"""The survey has to look at the reading: it is missing, malformed or no ordinary word."""
BARS = 4
"""An ordinary word keeps the event from matching, as ``linux`` and ``udp`` do."""

WORDS = {clause.field: str(clause.among[0]) for clause in CLAUSES if clause.field in ORDINARY}
"""Fields that the rule compares with one word → that word."""

_CLAUSES = {clause.field: clause for clause in CLAUSES}


def is_unusual(name: str, values: tuple[str, ...]) -> bool:
    """Return whether a field lacks the rule's word, and no value of it is an ordinary one.

    A value that only spells the word differently is unusual too: it stands for it only where
    nothing is inferred.
    """
    word = WORDS.get(name)
    if word is None or word in values:
        return False
    return not is_ordinary(name, values) or any(word in words(value) for value in values)


def _marks(name: str, reading: Reading) -> int:
    values = reading.values
    holds = _CLAUSES[name].holds(values)
    unusual = is_unusual(name, values)
    is_odd = unusual or not values or bool(reading.malformed)
    # Exporters differ too much in categories for those to excuse a gap.
    bars = not (holds or unusual) and name in WORDS and name != "event.category"
    return FAILS * (not holds) | ODD * is_odd | BARS * bars


MARKS = FieldNotes(tuple(_CLAUSES), _marks)
"""The marks of an event's fields: `View.noted` gives them in the order of the clauses."""


def every_mark(marks: list[int]) -> int:
    """Return the marks that any of an event's fields has."""
    port, pid, destination, source, transport, category, system = marks
    return port | pid | destination | source | transport | category | system
