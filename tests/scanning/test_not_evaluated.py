"""A connection that cannot be read is not taken for evaluated, and what is harmless stays so."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smbrare.errors import EXIT_CLEAN, EXIT_FINDINGS, EXIT_UNJUDGED, EXIT_UNREADABLE
from smbrare.scanning import planning
from tests.conftest import SHARED, Run
from tests.support.events import matching
from tests.support.forms import FORMS, OTHERS, ecs, events, vendors, windows
from tests.support.forms.connection import Connection

INSIDE = Connection(destination="10.20.0.5")
OUTSIDE = Connection()

PLACES: dict[str, dict[str, str]] = {
    "winlogbeat-8": {
        "destination.port": "winlog.event_data.DestinationPort",
        "destination.ip": "winlog.event_data.DestinationIp",
        "source.ip": "winlog.event_data.SourceIp",
        "process.pid": "winlog.event_data.ProcessId",
    },
    "sysmon-evtx_dump": {
        "destination.port": "Event.EventData.DestinationPort",
        "destination.ip": "Event.EventData.DestinationIp",
        "source.ip": "Event.EventData.SourceIp",
        "process.pid": "Event.EventData.ProcessId",
    },
    "windows_firewall-winlogbeat": {
        "destination.port": "winlog.event_data.DestPort",
        "destination.ip": "winlog.event_data.DestAddress",
        "source.ip": "winlog.event_data.SourceAddress",
        "process.pid": "winlog.event_data.ProcessID",
    },
    "defender-streaming": {
        "destination.port": "properties.RemotePort",
        "destination.ip": "properties.RemoteIP",
        "source.ip": "properties.LocalIP",
        "process.pid": "properties.InitiatingProcessId",
    },
    "defender-hunting": {
        "destination.port": "RemotePort",
        "destination.ip": "RemoteIP",
        "source.ip": "LocalIP",
        "process.pid": "InitiatingProcessId",
    },
    "sentinel_one-raw": {
        "destination.port": "dst.port.number",
        "destination.ip": "dst.ip.address",
        "source.ip": "src.ip.address",
        "process.pid": "src.process.pid",
    },
    "endgame-raw": {
        "destination.port": "destination_port",
        "destination.ip": "destination_address",
        "source.ip": "source_address",
        "process.pid": "pid",
    },
    **{
        name: {
            field: field
            for field in ("destination.port", "destination.ip", "source.ip", "process.pid")
        }
        for name in ("elastic_defend-8", "sysmon-mapped", "endgame-mapped", "sentinel_one-mapped")
    },
}
"""Form → field → where the form keeps it; each is a kind of event that always has all four."""

CASES = [(form, field) for form, places in PLACES.items() for field in places]


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a document with another value at a path, or without the path for None."""
    if path in document or "." not in path:
        rest = {key: each for key, each in document.items() if key != path}
        return rest if value is None else {**rest, path: value}
    key, _, below = path.partition(".")
    return {**document, key: changed(document[key], below, value)}


def record(form: str, connection: Connection = OUTSIDE) -> dict[str, Any]:
    """Return a record without its rendered message and image, which hold its values too."""
    document = FORMS[form](connection)
    document.pop("message", None)
    for place in ("winlog.event_data", "Event.EventData"):
        if f"{place}.DestinationPort" in PLACES[form].values():
            document = changed(document, f"{place}.Image", None)
    return document


def write(path: Path, *documents: Any) -> Path:
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return path


def scanned(run: Run, *arguments: Any) -> tuple[int, str, Any]:
    result = run("scan", *arguments, "--format", "json")
    return result.code, result.err, json.loads(result.out)["scan"]


@pytest.mark.parametrize(("form", "field"), CASES)
@pytest.mark.parametrize("value", ["n/a", None], ids=["malformed", "missing"])
def test_a_connection_that_cannot_be_read_is_named(
    run: Run, tmp_path: Path, form: str, field: str, value: Any
) -> None:
    broken = changed(record(form), PLACES[form][field], value)
    path = write(tmp_path / "log.ndjson", record(form, INSIDE), broken, record(form, INSIDE))
    code, err, scan = scanned(run, path)
    assert code == EXIT_UNREADABLE
    assert f"{path}:2: not evaluated: connection" in err
    assert f"{field} is {'missing' if value is None else chr(34) + value + chr(34)}" in err
    assert scan["unreadable_connections"] == 1
    assert scan["inputs"][0]["unreadable_connections"] == 1


@pytest.mark.parametrize(("form", "field"), CASES)
def test_what_every_connection_lacks_is_named_as_before(
    run: Run, tmp_path: Path, form: str, field: str
) -> None:
    broken = [changed(record(form), PLACES[form][field], None) for _ in range(3)]
    path = write(tmp_path / "log.ndjson", *broken)
    code, err, scan = scanned(run, path)
    assert code == EXIT_UNJUDGED
    assert f"{field} missing in all 3 connections" in err
    assert scan["unreadable_connections"] == 0


@pytest.mark.parametrize(("form", "field"), CASES)
def test_beside_a_finding_the_finding_decides(
    run: Run, tmp_path: Path, form: str, field: str
) -> None:
    broken = changed(record(form), PLACES[form][field], "n/a")
    path = write(tmp_path / "log.ndjson", FORMS[form](OUTSIDE), broken)
    code, err, _ = scanned(run, path)
    assert code == EXIT_FINDINGS
    assert ":2: not evaluated:" in err
    assert run("scan", path, "--exit-zero").code == EXIT_UNREADABLE


HARMLESS: tuple[dict[str, Any], ...] = (
    {"process.pid": 900, "destination.ip": "n/a"},
    {"destination.port": 443, "process.pid": None},
    {"destination.ip": "10.20.0.5", "source.ip": "n/a"},
    {"source.ip": "8.8.4.4", "process.pid": "n/a"},
    {"network.transport": "udp", "destination.port": "n/a"},
    {"host.os.type": "linux", "destination.ip": None},
)


@pytest.mark.parametrize("changes", HARMLESS)
def test_what_can_be_read_of_it_may_clear_a_connection(
    run: Run, tmp_path: Path, changes: dict[str, Any]
) -> None:
    broken = record("elastic_defend-8")
    for field, value in changes.items():
        broken = changed(broken, field, value)
    path = write(tmp_path / "log.ndjson", record("elastic_defend-8", INSIDE), broken)
    code, _, scan = scanned(run, path)
    assert code == EXIT_CLEAN
    assert scan["unreadable_connections"] == 0


def test_of_documents_of_any_origin_only_malformed_values_count(run: Run, tmp_path: Path) -> None:
    sound = matching(destination__ip="10.0.0.9")
    missing = write(tmp_path / "missing.ndjson", sound, matching(process__pid=None))
    assert scanned(run, missing)[0] == EXIT_CLEAN
    malformed = write(tmp_path / "malformed.ndjson", sound, matching(process__pid="four"))
    assert scanned(run, malformed)[0] == EXIT_UNREADABLE


@pytest.mark.parametrize("name", ["microsoft-ds", "netbios-ssn", "Microsoft-DS"])
@pytest.mark.parametrize("form", sorted(PLACES))
def test_the_name_of_a_service_is_its_port(run: Run, tmp_path: Path, form: str, name: str) -> None:
    named = changed(record(form), PLACES[form]["destination.port"], name)
    result = run("scan", write(tmp_path / "log.ndjson", named), "--format", "ndjson")
    assert result.code == EXIT_FINDINGS
    assert "destination.port" in json.loads(result.out)["smbrare"]["inferred"]


@pytest.mark.parametrize("form", ["winlogbeat-6", "winlogbeat-8", "sysmon-agent", "sysmon-nxlog"])
@pytest.mark.parametrize("value", ["n/a", None], ids=["malformed", "missing"])
def test_the_rendered_message_supplies_what_event_data_lacks(
    run: Run, tmp_path: Path, form: str, value: Any
) -> None:
    document = FORMS[form](OUTSIDE)
    places = {"winlogbeat-6": "event_data.", "sysmon-nxlog": ""}
    broken = changed(document, f"{places.get(form, 'winlog.event_data.')}DestinationIp", value)
    if "message" not in document and "Message" not in document:
        broken["message"] = windows.winlogbeat_8(events.sysmon(OUTSIDE))["message"]
    result = run("scan", write(tmp_path / "log.ndjson", broken), "--format", "ndjson")
    assert result.code == EXIT_FINDINGS
    assert json.loads(result.out)["smbrare"]["inferred"] == ["destination.ip"]


def shifted(document: dict[str, Any]) -> dict[str, Any]:
    """Return a Winlogbeat record whose values stand under the names before theirs."""
    data = document["winlog"]["event_data"]
    names, values = list(data), list(data.values())
    return changed(
        document, "winlog.event_data", dict(zip(names, [*values[1:], "%18"], strict=True))
    )


def numbered(document: dict[str, Any]) -> dict[str, Any]:
    """Return a Winlogbeat record whose values have numbers for names."""
    data = document["winlog"]["event_data"].values()
    named = {f"param{at}": value for at, value in enumerate(data, 1)}
    return changed(document, "winlog.event_data", named)


def emptied(document: dict[str, Any]) -> dict[str, Any]:
    """Return a Winlogbeat record without values, on a host that has addresses of its own."""
    document = changed(document, "winlog.event_data", None)
    return changed(document, "host.ip", ["10.1.2.3", "fe80::1"])


@pytest.mark.parametrize("broken", [shifted, numbered, emptied])
def test_a_sound_host_hides_no_other(
    run: Run, tmp_path: Path, broken: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    def of_sysmon(connection: Connection) -> dict[str, Any]:
        document = windows.winlogbeat_8(events.sysmon(connection))
        document.pop("message")
        return document

    sound = [of_sysmon(INSIDE) for _ in range(3)]
    path = write(tmp_path / "log.ndjson", *sound, broken(of_sysmon(OUTSIDE)))
    code, err, _ = scanned(run, path)
    assert code == EXIT_UNREADABLE
    assert f"{path}:4: not evaluated: connection of host WS-07" in err


@pytest.mark.parametrize("broken", [shifted, numbered])
def test_values_under_other_names_may_clear_a_connection(
    run: Run, tmp_path: Path, broken: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    web = Connection(port=443, pid=5120, image="C:\\app.exe", destination="151.101.1.69")
    documents = [windows.winlogbeat_8(events.sysmon(each)) for each in (INSIDE, web)]
    for document in documents:
        document.pop("message")
    path = write(tmp_path / "log.ndjson", documents[0], broken(documents[1]))
    assert scanned(run, path)[0] == EXIT_CLEAN


STRANGE = {"event.category": "netzwerk", "network.transport": "tcp6", "host.os.type": "Windows 10"}


@pytest.mark.parametrize("field", sorted(STRANGE))
def test_a_value_that_no_field_of_ecs_has_is_named(run: Run, tmp_path: Path, field: str) -> None:
    strange = [
        changed(record("elastic_defend-8", connection), field, STRANGE[field])
        for connection in (INSIDE, OUTSIDE)
    ]
    for document in strange:
        document["host"]["os"].pop("name", None)
        document["host"]["os"].pop("platform", None)
    code, err, scan = scanned(run, write(tmp_path / "log.ndjson", *strange))
    assert code == EXIT_UNJUDGED
    assert f'{field} is "{STRANGE[field]}" in all 2 connections' in err
    assert STRANGE[field] in scan["not_evaluated"][0]["reason"]
    sound = write(tmp_path / "mixed.ndjson", *strange, record("elastic_defend-8", INSIDE))
    assert scanned(run, sound)[0] == EXIT_CLEAN


def test_a_word_in_another_case_is_no_ordinary_value_to_literal(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "log.ndjson", matching(network__transport="TCP"))
    assert scanned(run, path)[0] == EXIT_FINDINGS
    code, err, _ = scanned(run, path, "--literal")
    assert code == EXIT_UNJUDGED
    assert 'network.transport is "TCP" in the only connection' in err


@pytest.mark.parametrize(
    "changes",
    [
        {"network__transport": "udp"},
        {"network__transport": "UDP"},
        {"network__transport": "ipv6-icmp"},
        {"host__os": {"type": "linux"}},
        {"host__os": {"type": "macos"}},
        {"event__category": ["host", "network"], "network__transport": ["udp"]},
        {"event__category": "session"},
    ],
)
def test_exports_without_windows_or_tcp_stay_clean(
    run: Run, tmp_path: Path, changes: dict[str, Any]
) -> None:
    path = write(tmp_path / "log.ndjson", *[matching(**changes)] * 3)
    assert scanned(run, path)[0] == EXIT_CLEAN


def test_an_export_of_linux_that_lacks_a_field_stays_clean(run: Run, tmp_path: Path) -> None:
    flows = [matching(process__pid=None, host__os={"type": "linux"}) for _ in range(3)]
    assert scanned(run, write(tmp_path / "flows.ndjson", *flows))[0] == EXIT_CLEAN
    sessions = [matching(process__pid=None, event__category=["session"])] * 3
    assert scanned(run, write(tmp_path / "flows.ndjson", *sessions))[0] == EXIT_UNJUDGED
    one_of_windows = write(tmp_path / "flows.ndjson", *flows, matching(process__pid=None))
    assert scanned(run, one_of_windows)[0] == EXIT_UNJUDGED


RAW_TEXT = json.dumps({"pid": 4, "port": 445, "from": "10.20.1.17", "to": "45.83.122.10"})


@pytest.mark.parametrize("sifted_from", [1, planning.LARGE_BYTES])
def test_a_document_of_any_origin_without_addresses_is_suspected_by_its_text(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sifted_from: int
) -> None:
    monkeypatch.setattr(planning, "LARGE_BYTES", sifted_from)
    inside = [matching(destination__ip="10.0.0.9")] * 3
    event: dict[str, Any] = {"category": ["network"], "original": RAW_TEXT}
    hidden: dict[str, Any] = {"@timestamp": "2026-11-16T08:00:00Z", "event": event}
    path = write(tmp_path / "log.ndjson", *inside, hidden, *inside)
    code, err, _ = scanned(run, path, "--jobs", "1")
    assert code == EXIT_UNJUDGED
    assert f"{path}:4: of no known source, but might contain a match" in err
    listening = changed(hidden, "event.action", "connection_listening")
    path = write(tmp_path / "log.ndjson", *inside, listening, *inside)
    assert scanned(run, path, "--jobs", "1")[0] == EXIT_CLEAN


def test_a_streamed_row_whose_columns_have_other_names_is_not_evaluated(
    run: Run, tmp_path: Path
) -> None:
    form = "defender-streaming"
    renamed = record(form)
    renamed["properties"] = {key.lower(): value for key, value in renamed["properties"].items()}
    path = write(tmp_path / "log.ndjson", record(form, INSIDE), renamed)
    code, err, _ = scanned(run, path)
    assert code == EXIT_UNREADABLE
    assert f"{path}:2: not evaluated: connection" in err


@pytest.mark.parametrize("channel", ["Sysmon", "Sec", "Sysmon/Operational", ""])
@pytest.mark.parametrize("number", [3, 5156])
def test_an_event_whose_log_is_not_told_may_be_a_connection(
    run: Run, tmp_path: Path, channel: str, number: int
) -> None:
    write(tmp_path / "good.ndjson", matching(destination__ip="10.0.0.9"))
    row = {"Computer": "WS", "Channel": channel, "EventID": number, "Details": RAW_TEXT}
    path = write(tmp_path / "timeline.ndjson", row)
    code, err, _ = scanned(run, tmp_path)
    assert code == EXIT_UNJUDGED
    assert f"{path}:1: of no known source, but might contain a match" in err
    write(path, changed(row, "Channel", "Vendor-Monitoring/Results"))
    assert scanned(run, tmp_path)[0] == EXIT_CLEAN


@pytest.mark.parametrize("sifted_from", [1, planning.LARGE_BYTES])
def test_a_short_record_of_no_known_source_is_suspected(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sifted_from: int
) -> None:
    monkeypatch.setattr(planning, "LARGE_BYTES", sifted_from)
    short = {"p": 4, "s": "10.0.0.5", "d": "9.9.9.9", "o": 445}
    inside = [matching(destination__ip="10.0.0.9")] * 3
    path = write(tmp_path / "log.ndjson", *inside, short, *inside)
    code, err, _ = scanned(run, path, "--jobs", "1")
    assert code == EXIT_UNJUDGED
    assert f"{path}:4: of no known source" in err


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-32-be"])
@pytest.mark.parametrize("sifted_from", [1, planning.LARGE_BYTES])
def test_lines_in_wide_characters_among_others_are_lost_records(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sifted_from: int, encoding: str
) -> None:
    monkeypatch.setattr(planning, "LARGE_BYTES", sifted_from)
    inside = (json.dumps(matching(destination__ip="10.0.0.9")) + "\n").encode() * 3
    path = tmp_path / "log.ndjson"
    path.write_bytes(inside + (json.dumps(matching()) + "\r\n").encode(encoding) + inside)
    assert scanned(run, path, "--jobs", "1")[0] == EXIT_UNREADABLE


def test_lines_that_another_encoding_before_them_garbles_are_lost_records(
    run: Run, tmp_path: Path
) -> None:
    inside = (json.dumps(matching(destination__ip="10.0.0.9")) + "\r\n") * 3
    appended = (json.dumps(matching()) + "\r\n").encode()
    appended = b" " * (len(appended) % 2) + appended
    path = tmp_path / "log.ndjson"
    path.write_bytes(inside.encode("utf-16") + appended + inside.encode("utf-16-le"))
    code, err, _ = scanned(run, path)
    assert code == EXIT_UNREADABLE
    assert f"{path}:4: skipped" in err


def test_a_document_behind_one_of_another_encoding_is_suspected(run: Run, tmp_path: Path) -> None:
    inside = write(tmp_path / "good.ndjson", matching(destination__ip="10.0.0.9")).read_text()
    path = tmp_path / "log.json"
    path.write_bytes(f"[{inside}]\r\n".encode("utf-16") + json.dumps([matching()]).encode())
    code, err, _ = scanned(run, tmp_path)
    assert code == EXIT_UNJUDGED
    assert f"{path}: of no known format, but might contain a match" in err


SYSMON_DNS = windows.winlogbeat_8(events.dns(OUTSIDE))
NOT_CONNECTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "Sysmon 22": ("DNS", SYSMON_DNS),
    "Sysmon 1": (
        "process",
        changed(changed(SYSMON_DNS, "winlog.event_id", "1"), "event.code", "1"),
    ),
    "Elastic Defend DNS": (
        "DNS",
        {
            **ecs.elastic_defend(OUTSIDE),
            "event": {"category": ["network"], "action": "lookup_requested", "type": ["start"]},
            "dns": {"question": {"name": "a.example"}},
            "destination": {},
            "source": {},
        },
    ),
    "Defender listening": (
        "listening",
        {
            **vendors.defender_row(OUTSIDE),
            "ActionType": "ListeningConnectionCreated",
            "RemoteIP": "",
            "RemotePort": None,
            "LocalPort": 445,
        },
    ),
    "SentinelOne listening": (
        "listening",
        {
            **vendors.sentinel_one_raw(OUTSIDE),
            "event.type": "IP Listen",
            "meta.event.name": "TCPV4LISTEN",
            "dst.ip.address": None,
            "dst.port.number": None,
        },
    ),
    "SentinelOne DNS": ("DNS", vendors.sentinel_one_raw_dns(OUTSIDE)),
    "Elastic Defend file": ("file", ecs.not_network(OUTSIDE)),
}


@pytest.mark.parametrize("name", sorted(NOT_CONNECTIONS))
def test_what_is_no_connection_is_counted_apart(run: Run, tmp_path: Path, name: str) -> None:
    kind, document = NOT_CONNECTIONS[name]
    alone = write(tmp_path / "others.ndjson", document, document)
    code, err, scan = scanned(run, alone)
    assert code == EXIT_UNJUDGED
    assert "contains no connections, only " in err
    (source,) = scan["inputs"][0]["sources"].values()
    assert source["connections"] == 0
    assert sum(source["other_events"].values()) == 2
    if name != "Elastic Defend file":
        assert source["other_events"] == {kind: 2}
        assert f"only {kind} events (2 records)" in err
    sound = write(tmp_path / "sound.ndjson", matching(destination__ip="10.0.0.9"))
    assert scanned(run, tmp_path)[0] == EXIT_CLEAN
    assert scanned(run, alone, sound)[0] == EXIT_CLEAN
    together = write(tmp_path / "together.ndjson", document, matching(destination__ip="10.0.0.9"))
    assert scanned(run, together)[0] == EXIT_CLEAN


def test_a_log_cannot_name_kinds_of_events_without_end(run: Run, tmp_path: Path) -> None:
    made_up = [changed(ecs.not_network(OUTSIDE), "event.category", f"kind {n}") for n in range(9)]
    _, err, scan = scanned(run, write(tmp_path / "log.ndjson", *made_up))
    (source,) = scan["inputs"][0]["sources"].values()
    assert source["other_events"] == {"other": 9}
    assert "only other events (9 records)" in err


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_records_of_other_kinds_beside_connections_are_no_reason_for_doubt(
    run: Run, tmp_path: Path, name: str
) -> None:
    others = [other(OUTSIDE) for other in OTHERS[name]]
    path = write(tmp_path / "log.ndjson", FORMS[name](INSIDE), *others)
    assert scanned(run, path)[0] == EXIT_CLEAN


@pytest.mark.parametrize("form", sorted(PLACES))
def test_a_sample_hides_no_connection_whose_text_holds_a_port(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(planning, "LARGE_BYTES", 1)
    broken = changed(record(form), PLACES[form]["process.pid"], "n/a")
    inside = [record("elastic_defend-8", INSIDE)] * 500
    path = write(tmp_path / "log.ndjson", *inside, broken, *inside)
    code, err, scan = scanned(run, path, "--jobs", "1")
    assert code == EXIT_UNREADABLE
    assert f"{path}:501: not evaluated" in err
    assert scan["unreadable_connections"] == 1


def test_exit_zero_is_for_findings_alone(run: Run, tmp_path: Path) -> None:
    found = write(tmp_path / "found.ndjson", matching())
    assert run("scan", found, "--exit-zero").code == EXIT_CLEAN
    lost = write(tmp_path / "lost.ndjson", matching(), matching(process__pid="four"))
    assert run("scan", lost).code == EXIT_FINDINGS
    assert run("scan", lost, "--exit-zero").code == EXIT_UNREADABLE
    poor = changed(record("elastic_defend-8"), "process.pid", None)
    unjudged = write(tmp_path / "unjudged.ndjson", poor)
    assert run("scan", found, unjudged).code == EXIT_FINDINGS
    assert run("scan", found, unjudged, "--exit-zero").code == EXIT_UNJUDGED


CASE_FILES = SHARED / "cases" / "shapes"
RIGHT: dict[str, tuple[int, ...]] = {
    "13-wef-sysmon-shifted-fields.ndjson": (EXIT_FINDINGS, EXIT_UNREADABLE),
    "14-winlogbeat-param-names-mixed.ndjson": (EXIT_FINDINGS, EXIT_UNREADABLE),
    "15-security-onion-sysmon.ndjson": (EXIT_FINDINGS,),
    "19-esql-csv-response.csv": (EXIT_FINDINGS,),
    "45-pandas-json_normalize-csv.csv": (EXIT_FINDINGS,),
    "47-es2csv-indexed-lists.csv": (EXIT_FINDINGS, EXIT_UNJUDGED),
    "97-s1-no-meta-event-name.json": (EXIT_FINDINGS, EXIT_UNJUDGED),
    "102-elastic-defend-transport-TCP.ndjson": (EXIT_FINDINGS,),
}


@pytest.mark.parametrize("name", sorted(RIGHT))
def test_published_shapes_are_found_or_told(run: Run, tmp_path: Path, name: str) -> None:
    if not (CASE_FILES / name).exists():
        pytest.skip("no published cases beside the repository")
    assert run("scan", CASE_FILES / name).code in RIGHT[name]
    write(tmp_path / "sound.ndjson", matching(destination__ip="10.0.0.9"))
    (tmp_path / name).write_bytes((CASE_FILES / name).read_bytes())
    assert run("scan", tmp_path).code in RIGHT[name]


@pytest.mark.parametrize(
    "name", ["155-dns-only-file.ndjson", "156-process-only-file-in-folder.ndjson"]
)
def test_published_files_without_connections_are_harmless_beside_others(
    run: Run, tmp_path: Path, name: str
) -> None:
    if not (CASE_FILES / name).exists():
        pytest.skip("no published cases beside the repository")
    result = run("scan", CASE_FILES / name)
    assert result.code == EXIT_UNJUDGED
    assert "contains no connections, only" in result.err
    write(tmp_path / "sound.ndjson", matching(destination__ip="10.0.0.9"))
    (tmp_path / name).write_bytes((CASE_FILES / name).read_bytes())
    assert run("scan", tmp_path).code == EXIT_CLEAN
