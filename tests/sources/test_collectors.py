"""What collectors write is read exactly: no value is taken that might be another's."""

import csv
import json
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from smbrare.records.read_options import ReadOptions
from smbrare.rule.predicate import matches
from smbrare.sources import recognize
from smbrare.sources.alerts import is_alert
from smbrare.sources.mapping import View
from tests.conftest import Run
from tests.support.forms import FORMS, collectors, events, windows
from tests.support.forms.connection import SCENE, Connection

BROWSER = SCENE[3]


def seen(record: dict[str, Any]) -> View:
    view = recognize(record, ReadOptions())
    assert view is not None
    return view


@pytest.mark.parametrize("name", FORMS)
def test_the_logging_services_process_is_never_the_connections(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Windows itself logs 5156, so the service's id is the one that the rule asks for.
    for module in (windows, collectors):
        monkeypatch.setattr(module, "SERVICE_PID", 4)
    assert seen(FORMS[name](BROWSER)).read("process.pid").values == (BROWSER.pid,)


SERVICE_ALONE: dict[str, dict[str, Any]] = {
    "Fluent Bit without inserts": {
        **{k: v for k, v in FORMS["sysmon-fluent-bit"](BROWSER).items() if k != "StringInserts"},
        "Message": "Netzwerkverbindung erkannt",
    },
    "Fluent Bit with other inserts": FORMS["windows_firewall-fluent-bit-bare"](BROWSER)
    | {"StringInserts": ["4", "System", "10.0.0.1", "445"]},
    "HELK before its renames": FORMS["sysmon-helk"](BROWSER) | {"etl_pipeline": ["1500"]},
    "lower case": {
        k: v for k, v in FORMS["sysmon-lower"](BROWSER).items() if k != "executionprocessid"
    }
    | {"processid": 4, "message": "Netzwerkverbindung erkannt"},
}


@pytest.mark.parametrize("name", SERVICE_ALONE)
def test_where_the_events_own_process_is_lost_none_is_read(name: str) -> None:
    view = seen(SERVICE_ALONE[name] | {"ProcessID": 4})
    assert view.read("process.pid").values == ()
    assert not matches(view)


def test_an_alert_of_wazuhs_is_an_event_and_none_of_elastics(tmp_path: Path, run: Run) -> None:
    alert = FORMS["sysmon-wazuh"](Connection())
    assert not is_alert(alert)
    hit = {"_index": "wazuh-alerts-4.x-2026.11.16", "_id": "1", "_source": alert}
    log = tmp_path / "hits.json"
    log.write_text(json.dumps({"hits": {"hits": [hit]}}))
    assert run("scan", log).code == 1


@pytest.mark.parametrize(
    "text",
    [
        collectors.grouped([FORMS["sysmon-otlp"](connection) for connection in SCENE]),
        json.dumps({"metrics": [FORMS["sysmon-telegraf"](connection) for connection in SCENE]}),
        json.dumps({"messages": [{"message": FORMS["sysmon-graylog"](one)} for one in SCENE]}),
        json.dumps({"metrics": [FORMS["windows_firewall-telegraf"](one) for one in SCENE]}),
    ],
    ids=["OTLP", "Telegraf", "Graylog", "Telegraf 5156"],
)
def test_every_event_of_a_batch_is_judged(text: str, tmp_path: Path, run: Run) -> None:
    log = tmp_path / "batch.json"
    log.write_text(text + "\n")
    result = run("scan", log, "--format", "ndjson")
    found = [json.loads(line)["destination"]["ip"] for line in result.out.splitlines()]
    assert sorted(found) == ["185.220.101.4", "45.83.122.10"]


def test_a_name_given_twice_in_a_text_of_fields_is_not_guessed(tmp_path: Path, run: Run) -> None:
    record = FORMS["sysmon-hayabusa-text"](Connection())
    twice = record | {"AllFieldInfo": f"{record['AllFieldInfo']} ¦ DestinationIp: 10.0.0.1"}
    assert seen(twice).read("destination.port").malformed
    log = tmp_path / "timeline.ndjson"
    log.write_text(json.dumps(twice) + "\n")
    assert run("scan", log).code in {3, 4}


def test_a_timeline_without_all_fields_is_refused(tmp_path: Path, run: Run) -> None:
    record = FORMS["sysmon-hayabusa"](Connection())
    record["Details"] = "Initiated: true ¦ Proto: tcp ¦ SrcIP: 10.20.1.17 ¦ TgtIP: 45.83.122.10"
    del record["AllFieldInfo"]
    log = tmp_path / "timeline.ndjson"
    log.write_text(json.dumps(record) + "\n")
    assert run("scan", log).code == 4
    assert "all-field-info" in run("inspect", log).out


def flat(node: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a record as a row of a table: one dotted name a value."""
    row: dict[str, Any] = {}
    for key, value in node.items():
        if isinstance(value, dict):
            row |= flat(value, f"{prefix}{key}.")
        else:
            row[f"{prefix}{key}"] = json.dumps(value) if isinstance(value, list) else value
    return row


@pytest.mark.parametrize("name", FORMS)
def test_every_form_as_a_table_is_read_or_refused(name: str, tmp_path: Path, run: Run) -> None:
    rows = [flat(FORMS[name](connection)) for connection in SCENE]
    log = tmp_path / "table.csv"
    with log.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(chain(*rows))))
        writer.writeheader()
        writer.writerows(rows)
    result = run("scan", log, "--format", "ndjson")
    if result.code == 1:
        assert len(result.out.splitlines()) == 2
    else:
        assert result.code == 4
        assert log.name in result.err


def test_of_opentelemetrys_other_channels_nothing_is_sysmons() -> None:
    event = events.other_channel(Connection())
    assert not matches(seen(collectors.opentelemetry(event)))


@pytest.mark.parametrize("direction", ["NA", "Local", None])
def test_without_a_direction_the_process_is_the_sources_and_inferred(direction: str | None) -> None:
    view = seen(FORMS["asim-networksession"](Connection()) | {"NetworkDirection": direction})
    assert view.read("process.pid").values == (4,)
    assert view.read("process.pid").inferred


def test_a_table_of_a_timeline_is_read_from_csv(tmp_path: Path, run: Run) -> None:
    rows = [FORMS["defender-timeline"](connection) for connection in SCENE]
    lines = [",".join(rows[0]), *(",".join(f'"{v}"' for v in row.values()) for row in rows)]
    log = tmp_path / "timeline.csv"
    log.write_text("\n".join(line.replace('{"', '{""').replace('"}', '""}') for line in lines))
    assert "45.83.122.10" in run("scan", log).out
