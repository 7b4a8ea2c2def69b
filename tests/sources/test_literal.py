"""What a reading rests on, and what ``--literal`` does without."""

import pytest

from smbrare.records.read_options import ReadOptions
from smbrare.rule.predicate import CLAUSES, failing, matches
from smbrare.sources import recognize
from smbrare.sources.mapping import (
    View,
)
from tests.support.forms import FORMS
from tests.support.forms.connection import Connection

INFERRED: dict[str, set[str]] = {
    "elastic_defend-old": {"host.os.type"},
    "winlogbeat-mapped": {"host.os.type"},
    "sysmon-mapped": {"host.os.type"},
    "sysmon-nxlog-lost-key": {"process.pid"},
    "endgame-mapped": {"host.os.type"},
    "endgame-mapped-name": {"host.os.type"},
    "endgame-raw": {"host.os.type"},
    "defender-mapped-old": {"host.os.type", "network.transport"},
    **{name: {"network.transport"} for name in FORMS if name.startswith("sentinel_one-")},
    "windows_firewall-mapped": {"host.os.type", "process.pid"},
    **{
        name: {"process.pid"}
        for name in FORMS
        if name.startswith("windows_firewall-") and name != "windows_firewall-mapped"
    },
}
"""Form → the fields of the rule that the exporter left out; the other forms leave out none."""


def seen(name: str, *, literal: bool) -> View:
    view = recognize(FORMS[name](Connection()), ReadOptions(literal=literal))
    assert view is not None
    return view


@pytest.mark.parametrize("name", list(FORMS))
def test_a_reading_names_what_is_inferred(name: str) -> None:
    view = seen(name, literal=False)
    assert matches(view)
    inferred = {clause.field for clause in CLAUSES if view.read(clause.field).inferred}
    assert inferred == INFERRED.get(name, set())


@pytest.mark.parametrize("name", list(FORMS))
def test_literal_fails_exactly_the_clauses_that_rest_on_inference(name: str) -> None:
    view = seen(name, literal=True)
    assert {clause.field for clause in failing(view)} == INFERRED.get(name, set())
    assert matches(view) is (name not in INFERRED)


@pytest.mark.parametrize("name", list(FORMS))
def test_literal_changes_nothing_that_the_exporter_wrote(name: str) -> None:
    loose, literal = seen(name, literal=False), seen(name, literal=True)
    for field in loose.table:
        reading = literal.read(field)
        if not loose.read(field).inferred:
            assert reading == loose.read(field)
        assert not reading.inferred or field == "@timestamp"


def test_a_time_without_a_zone_is_named_as_inferred_and_kept_in_literal_mode() -> None:
    reading = seen("windows_firewall-nxlog", literal=True).time()
    assert reading.values
    assert "--input-tz" in reading.inferred
