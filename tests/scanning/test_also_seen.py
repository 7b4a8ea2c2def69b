"""Servers that only SMB, WebDAV and NTLM clients name are listed, sifted or not, in any order."""

import gzip
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.detection import also_seen
from smbrare.detection.also_seen import Server, Servers, merge_servers
from smbrare.outputs import formats
from smbrare.records.read_options import ReadOptions
from smbrare.scanning import planning
from tests.conftest import Run
from tests.outputs import test_hostile_text, test_markdown
from tests.outputs.test_hostile_text import is_live
from tests.support.activities import defender, logon, process, security, windows
from tests.support.events import DESTINATION, matching
from tests.support.evtx_writer import evtx
from tests.support.reports import report, write

ATTACKS = [*test_hostile_text.ATTACKS, *test_markdown.ATTACKS]
PUBLIC, OTHER, THIRD = "91.219.236.18", "185.220.101.4", "20.60.40.9"
CONNECTIVITY = "Microsoft-Windows-SmbClient/Connectivity"
SECURITY = "Microsoft-Windows-SmbClient/Security"
SOCKETS = {PUBLIC: "5BDBEC12", OTHER: "B9DC6504", "10.20.0.5": "0A140005", DESTINATION: "2D537A0A"}


def socket(address: str) -> str:
    return f"020001BD{SOCKETS[address]}{'0' * 16}"


def smb(address: str, number: int = 30803, **where: Any) -> dict[str, Any]:
    """Return a failed connection of SMB's client."""
    data = {"ServerName": "\\files", "Address": socket(address), "Reason": "9"}
    return windows(CONNECTIVITY, number, data, **where)


def named(name: str, user: str = "bob", **where: Any) -> dict[str, Any]:
    """Return a refused logon of SMB's client, which names no address."""
    data = {"ServerName": f"\\{name}", "UserName": user, "Status": "3221225581"}
    return windows(SECURITY, 31001, data, **where)


def cookie(server: str, **row: Any) -> dict[str, Any]:
    """Return the start of what Windows uses for a WebDAV server."""
    line = (
        f"rundll32.exe C:\\Windows\\system32\\davclnt.dll,DavSetCookie {server} http://{server}/x"
    )
    return defender(
        "DeviceProcessEvents",
        ActionType="ProcessCreated",
        FolderPath="C:\\Windows\\System32\\rundll32.exe",
        ProcessCommandLine=line,
        **{"AccountName": "alice", "AccountDomain": "CORP", **row},
    )


def query(name: str, *addresses: str) -> dict[str, Any]:
    return {
        "@timestamp": "2026-11-16T07:59:58Z",
        "event": {"category": ["network"]},
        "host": {"name": "WS-09"},
        "dns": {"question": {"name": name}, "resolved_ip": list(addresses)},
    }


EVENTS = [
    smb(PUBLIC, host="WS-01"),
    smb(PUBLIC, host="WS-02", time="2026-11-16T06:00:00.000Z"),
    smb("10.20.0.5"),
    smb(DESTINATION),
    cookie(f"{OTHER}@80"),
    cookie("share.example"),
    cookie("cdn.example"),
    cookie("intranet.example"),
    named("unknown.example"),
    query("share.example", OTHER),
    query("cdn.example", THIRD, "20.60.40.10"),
    query("intranet.example", "10.20.0.5"),
    windows("Microsoft-Windows-NTLM/Operational", 8001, {"TargetName": f"cifs/{THIRD}"}),
    matching(),
    process(),
    logon(),
    security(4688, {"NewProcessName": "C:\\WebClient.exe", "CommandLine": "x"}),
]
EXPECTED = [
    (OTHER, ("ws-01.corp.example",), ("CORP\\alice",), {"webdav"}, 2),
    (THIRD, ("WS-01",), (), {"ntlm"}, 1),
    (PUBLIC, ("WS-01", "WS-02"), (), {"smb"}, 2),
    ("cdn.example", ("ws-01.corp.example",), ("CORP\\alice",), {"webdav"}, 1),
]


def told(servers: tuple[Server, ...]) -> list[Any]:
    return [
        (
            each.destination,
            tuple(sorted(each.hosts.values())),
            tuple(sorted(each.accounts.values())),
            each.kinds,
            each.events,
        )
        for each in servers
    ]


def test_servers_on_the_internet_that_no_connection_shows_are_listed(tmp_path: Path) -> None:
    made = report(write(tmp_path / "events.ndjson", EVENTS))
    assert told(made.also_seen) == sorted(EXPECTED)
    assert made.exit_code == 1
    assert [finding.sighting.destination for finding in made.findings] == [DESTINATION]


@pytest.mark.parametrize("sampled", [False, True])
def test_order_split_and_compression_change_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, sampled: bool
) -> None:
    monkeypatch.setattr(planning, "LARGE_BYTES", 1 if sampled else 1 << 30)
    shuffled = [*EVENTS]
    Random(7).shuffle(shuffled)
    packed = tmp_path / "events.ndjson.gz"
    packed.write_bytes(gzip.compress(write(tmp_path / "plain", EVENTS).read_bytes()))
    (tmp_path / "array.json").write_text(json.dumps(EVENTS))
    ways = [
        [tmp_path / "plain"],
        [write(tmp_path / "shuffled", shuffled)],
        [packed],
        [tmp_path / "array.json"],
        [write(tmp_path / f"{number}", [each]) for number, each in enumerate(shuffled)],
    ]
    for paths in ways:
        found = json.loads(run("scan", *paths, "--format", "json").out)["also_seen"]
        assert [(each["destination"], each["events"]) for each in found] == [
            (each[0], each[4]) for each in sorted(EXPECTED)
        ], paths


def test_the_records_of_an_evtx_file_tell_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = {"EventID": "30803", "Channel": CONNECTIVITY, "SystemTime": "2026-11-16T08:00:00Z"}
    filler = {"EventID": "1", "Image": "C:\\a.exe", "UtcTime": "2026-11-16 08:00:00.000"}
    path = tmp_path / "SmbClient.evtx"
    path.write_bytes(evtx([filler, {**system, "ServerName": "\\x", "Address": socket(PUBLIC)}]))
    whole = report(path)
    assert [each.destination for each in whole.also_seen] == [PUBLIC]
    monkeypatch.setattr(planning, "LARGE_BYTES", 1)
    assert told(report(path).also_seen) == told(whole.also_seen)


def lowered(event: dict[str, Any]) -> str:
    return json.dumps(event).lower().replace("eventdata", "EventData")


@pytest.mark.parametrize(
    "line",
    [
        json.dumps(smb(PUBLIC)),
        json.dumps(smb(PUBLIC)).replace(CONNECTIVITY, CONNECTIVITY.replace("/", "\\/")),
        json.dumps(smb(PUBLIC)).replace(CONNECTIVITY, CONNECTIVITY.lower()),
        json.dumps(smb(PUBLIC)).replace("SmbClient", "SMBClient"),
        json.dumps({"message": json.dumps(smb(PUBLIC))}),
        json.dumps(cookie(PUBLIC)),
        json.dumps(cookie(PUBLIC)).replace("DavSetCookie", "davsetcookie"),
        json.dumps({"event": {"original": json.dumps(cookie(PUBLIC))}}),
        json.dumps(
            windows("Microsoft-Windows-NTLM/Operational", 8001, {"TargetName": f"cifs/{PUBLIC}"})
        ),
    ],
)
def test_the_sieve_finds_them_as_exporters_spell_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    path = tmp_path / "events.ndjson"
    plain = json.dumps(process())
    path.write_text(f"{plain}\n{line}\n{plain}\n")
    expected = [PUBLIC]
    assert [each.destination for each in report(path).also_seen] == expected
    monkeypatch.setattr(planning, "LARGE_BYTES", 1)
    assert [each.destination for each in report(path).also_seen] == expected


def test_what_only_the_sieve_keeps_changes_no_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "LARGE_BYTES", 1)
    odd = [{"note": "SmbClient"}, {"kibana.alert.uuid": "x", "note": "SmbClient"}]
    mute = [{"note": "an other"}, {"kibana.alert.uuid": "x", "note": "an other"}]
    surveys = [
        report(write(tmp_path / "events.ndjson", [matching(), *some, matching()])).inputs[0]
        for some in (odd, mute)
    ]
    found = [(each.unknown, each.alerts, each.records, each.skipped) for each in surveys]
    assert found[0] == found[1]


def test_no_connection_is_no_all_clear(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "events.ndjson", [smb(PUBLIC), query("a.example", PUBLIC)])
    for name in ("table", "json", "html", "markdown"):
        result = run("scan", path, "--format", name)
        without = run("scan", write(tmp_path / "no.ndjson", [query("a.example", PUBLIC)]))
        assert result.code == without.code
        assert result.err.startswith(
            "1 server on the internet named only by SMB, WebDAV or NTLM clients"
        )
        assert PUBLIC in result.out
    assert json.loads(run("scan", path, "-f", "json").out)["scan"]["also_seen"] == 1
    assert run("scan", path, "-f", "ndjson").out == ""


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ((), 1),
        (("--since", "2026-11-17"), 0),
        (("--until", "2026-11-16"), 0),
        (("--exclude", f"{PUBLIC}/32"), 0),
        (("--exclude", f"{OTHER}/32"), 1),
    ],
)
def test_the_window_and_exclusions_hold_for_them(
    run: Run, tmp_path: Path, options: tuple[str, ...], count: int
) -> None:
    path = write(tmp_path / "events.ndjson", [smb(PUBLIC), matching()])
    found = json.loads(run("scan", path, "-f", "json", *options).out)
    assert len(found["also_seen"]) == count


def test_a_suppressed_destination_is_covered(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "events.ndjson", [smb(DESTINATION), matching()])
    found = json.loads(run("scan", path, "-f", "json", "--exclude", f"{DESTINATION}/32").out)
    assert (found["also_seen"], found["findings"]) == ([], [])


def test_nothing_of_a_log_is_live_among_them(run: Run, tmp_path: Path) -> None:
    events = [
        smb(PUBLIC, host=attack) | {"user": {"name": attack}, "attack": number}
        for number, attack in enumerate(ATTACKS)
    ]
    events += [cookie(OTHER, DeviceName=attack, AccountName=attack) for attack in ATTACKS]
    path = write(tmp_path / "events.ndjson", [*events, matching()])
    for name in formats.REPORT:
        out = run("scan", path, "--format", name).out
        assert not any(map(is_live, out.replace("\r\n", "").replace("\n", "")))
        if name == "html":
            assert "<script>alert" not in out
        if name == "markdown":
            section = out[out.index("## Also seen") :]
            assert all(line.count("|") == 7 for line in section.splitlines() if line[:2] == "| ")


LETTERS = "abcdef"
NAMES = st.sampled_from([f"{letter}.example" for letter in LETTERS])


@given(
    st.lists(NAMES, max_size=20),
    st.sets(NAMES),
    st.randoms(use_true_random=False),
    st.integers(0, 20),
)
def test_the_first_by_their_text_are_kept_with_exact_counts(
    names: list[str], public: set[str], chance: Random, cut: int
) -> None:
    def kept(asked: list[str]) -> Servers:
        servers = Servers()
        for name in asked:
            servers.observe(named(name, user=f"user of {name}"), ReadOptions())
        return servers

    shuffled = [*names]
    chance.shuffle(shuffled)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(also_seen, "MOST_NAMES", 3)
        patch.setattr(also_seen, "MOST_SERVERS", 2)
        first, second = kept(shuffled[:cut]), kept(shuffled[cut:])
        first.merge(second)
        resolved = {name: {PUBLIC, OTHER} for name in public}
        found = merge_servers(also_seen.also_seen(first.settled(), (), resolved))
        least = [name for name in sorted(set(names))[:3] if name in public]
        expected = [(name, names.count(name)) for name in least[:2]]
        assert [(each.destination, each.events) for each in found] == expected


@given(st.lists(st.sampled_from([f"u{number}" for number in range(9)]), min_size=1, max_size=30))
def test_the_accounts_of_a_server_are_bounded(users: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(also_seen, "MOST_ACCOUNTS", 3)
        servers = Servers()
        for user in users:
            servers.observe(named("a.example", user=user), ReadOptions())
        accounts = servers.by_name["a.example"].accounts
        assert len(accounts) <= 6
        assert sorted(accounts)[:3] == sorted(set(users))[:3]
