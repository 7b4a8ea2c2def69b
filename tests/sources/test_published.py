"""Published logs: every record is recognized, and their known SMB connections are found."""

import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smbrare.records.read_options import ReadOptions
from smbrare.rule.predicate import KERNEL_PID, SMB_PORTS, matches
from smbrare.sources import recognize
from smbrare.sources.alerts import is_alert
from smbrare.sources.mapping import (
    View,
)


def lines(text: str) -> Iterator[Any]:
    return (json.loads(line) for line in text.splitlines() if line.strip())


def evtx_records(path: Path) -> Iterator[Any]:
    evtx = pytest.importorskip("evtx")
    records = iter(evtx.PyEvtxParser(str(path)).records_json())
    while True:
        try:
            record = next(records, None)
        except RuntimeError:
            continue  # A damaged record; reading goes on behind it.
        if record is None:
            return
        yield json.loads(record["data"])


def documents(path: Path) -> Iterator[Any]:
    """Yield the records of a published file, whatever holds them."""
    if path.suffix == ".evtx":
        yield from evtx_records(path)
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".json") and not name.startswith("__MACOSX"):
                    yield from lines(archive.read(name).decode("utf-8-sig"))
    elif path.suffix in {".ndjson", ".log"}:
        yield from lines(path.read_text(encoding="utf-8"))
    else:
        loaded = json.loads(path.read_text(encoding="utf-8"))
        yield from loaded if isinstance(loaded, list) else [loaded]


def seen(path: Path) -> Iterator[View]:
    for document in documents(path):
        assert not is_alert(document)
        view = recognize(document, ReadOptions())
        assert view is not None
        yield view


def is_kernel_smb(view: View) -> bool:
    ports = set(view.read("destination.port").values)
    return KERNEL_PID in view.read("process.pid").values and bool(ports & SMB_PORTS)


@pytest.mark.parametrize(
    ("name", "network", "kernel_smb"),
    [
        (
            "winlogbeat/winlogbeat-7.4-small.ndjson",
            {"Sysmon event 3": 29, "Sysmon event 22": 1, "Security event 5156": 30},
            {"Sysmon event 3": 4, "Security event 5156": 4},
        ),
        (
            "nxlog/covenant_sharpsc_query_dcerpc_smb_svcctl.zip",
            {"Sysmon event 3": 12, "Security event 5156": 53},
            {"Sysmon event 3": 4, "Security event 5156": 4},
        ),
        (
            "evtx/smbmap_upload_exec_sysmon.evtx",
            {"Sysmon event 3": 7},
            {"Sysmon event 3": 7},
        ),
        (
            "evtx/discovery_sysmon_3_Invoke_UserHunter_SourceMachine.evtx",
            {"Sysmon event 3": 9},
            {"Sysmon event 3": 7},
        ),
        ("evtx/damaged-sysmon.evtx", {"Sysmon event 3": 2}, {}),
        ("sentinel_one_cloud_funnel/test-dns.log", {"SentinelOne record": 4}, {}),
        ("sentinel_one_cloud_funnel/test-process.log", {}, {}),
        ("endgame/eql_test_data.json", {"Endgame raw event": 2}, {}),
        ("powershell/ps51_system_depth2.json", {}, {}),
        ("elastic_defend/sample_event.json", {"Elastic Defend document": 1}, {}),
    ],
)
def test_the_connections_of_a_published_log_are_found(
    shared: Path, name: str, network: dict[str, int], kernel_smb: dict[str, int]
) -> None:
    views = list(seen(shared / name))
    connections = [view for view in views if "network" in view.read("event.category").values]
    assert Counter(view.kind for view in connections) == network
    assert Counter(view.kind for view in connections if is_kernel_smb(view)) == kernel_smb
    assert not any(view.read(field).malformed for view in views for field in view.table)
    assert not any(matches(view) for view in views)


def test_a_flat_log_of_a_mail_server_holds_its_connections(shared: Path) -> None:
    kinds = Counter(
        view.kind
        for view in seen(shared / "nxlog" / "flat-timecreated.zip")
        if "network" in view.read("event.category").values
    )
    assert kinds == {"Sysmon event 3": 117, "Sysmon event 22": 1, "Security event 5156": 132}


def test_a_real_connection_matches_once_its_destination_is_on_the_internet(shared: Path) -> None:
    """No public log holds a sighting, so the destination of a real one is changed."""
    made = 0
    for document in documents(shared / "evtx" / "smbmap_upload_exec_sysmon.evtx"):
        if document["Event"]["System"]["EventID"] == 3:
            document["Event"]["EventData"]["DestinationIp"] = "45.83.122.10"
            view = recognize(document, ReadOptions())
            assert view is not None
            made += matches(view)
    assert made == 5  # Two of the seven come from 127.0.0.1.


def test_the_old_form_of_elastic_defend_rests_on_the_platform(shared: Path) -> None:
    for path in (shared / "elastic_defend").glob("network_*.json"):
        (view,) = seen(path)
        assert view.source == "elastic_defend"
        assert view.read("host.os.type").inferred == "host.os.platform"
        assert view.time().values
