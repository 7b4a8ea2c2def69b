"""A folder of harmless things beside good logs stays an all-clear, however much it holds."""

import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.support.events import matching
from tests.support.evtx_writer import evtx

PUBLIC = ("93.184.216.34", "151.101.1.140", "8.8.8.8", "185.199.108.153")


def web_log(chance: random.Random) -> str:
    """An access log of a web server: public clients, sizes and times full of digits."""
    return "".join(
        f"{chance.choice(PUBLIC)} - - [16/Nov/2026:08:{n % 60:02}:04 +0000] "
        f'"GET /item/{chance.randrange(9999)} HTTP/1.1" 200 {chance.randrange(99_999)}\n'
        for n in range(2_000)
    )


def firewall_log(chance: random.Random) -> str:
    """What iptables logs on Linux: private and public addresses, ports, no process."""
    return "".join(
        f"Nov 16 08:{n % 60:02}:{chance.randrange(60):02} gw kernel: [{n + 86_400}.{n + 10**5}] "
        f"IN=eth0 OUT=eth1 "
        f"SRC=192.168.1.{chance.randrange(5, 250)} DST={chance.choice(PUBLIC)} LEN=60 TTL=64 "
        f"PROTO=TCP SPT={chance.randrange(1024, 65536)} DPT={chance.choice((80, 443, 53, 445))}\n"
        for n in range(2_000)
    )


def ecs(**changes: object) -> str:
    return json.dumps(matching(**changes)) + "\n"


def udp(chance: random.Random) -> str:
    """An export of UDP alone."""
    return "".join(
        ecs(network__transport="udp", destination__port=chance.choice((53, 123, 445)))
        for _ in range(50)
    )


def linux(chance: random.Random) -> str:
    """An export of Linux hosts alone."""
    return "".join(
        ecs(host__os__type="linux", process__pid=chance.randrange(1, 9)) for _ in range(50)
    )


def prices(chance: random.Random) -> str:
    """A table of prices."""
    rows = (
        f"{n},Widget {n},{chance.randrange(100, 500)}.{chance.randrange(10, 99)},4,445\n"
        for n in range(500)
    )
    return "id,name,price,stock,reorder\n" + "".join(rows)


def picture(chance: random.Random) -> bytes:
    """A PNG of noise."""
    rows = b"".join(b"\0" + chance.randbytes(300) for _ in range(100))

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    size = struct.pack(">IIBBBBB", 100, 100, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


HARMLESS: dict[str, Callable[[random.Random], str | bytes]] = {
    "access.log": web_log,
    "firewall.log": firewall_log,
    "udp.ndjson": udp,
    "linux.ndjson": linux,
    "prices.csv": prices,
    "logo.png": picture,
    "noise.bin": lambda chance: chance.randbytes(200_000),
    "empty.txt": lambda _: "",
    "notes.md": lambda _: (
        "# Case 445\n\nSMB uses ports 139 and 445. System has PID 4.\n\n"
        "1. Ask about 10.20.0.5, the file server.\n2. Port 445 to the internet is blocked.\n"
    ),
    "Pipfile": lambda _: (
        '[[source]]\nurl = "https://example.org/simple"\n\n[packages]\nrich = "*"\n'
        '[requires]\npython_version = "3.11"\n'
    ),
    "setup.cfg": lambda _: "[flake8]\nmax-line-length = 445\n[metadata]\nversion = 4\n",
    "app.min.js": lambda _: "{var a=4,b=445;" + "function f(){return[a,b]}" * 500 + "}",
    "page.html": lambda _: "<html><body><p>445</p></body></html>\n",
    "template.j2": lambda _: "{% for host in hosts %}\n{{ host.name }}:445\n{% endfor %}\n",
    "pom.xml": lambda _: "<?xml version='1.0'?><project><version>4.4.5</version></project>",
    "scan.py": lambda _: "import socket\nPORTS = [139, 445]\nHOSTS = ['10.0.0.5']\n" * 40,
    "package.json": lambda _: json.dumps({"name": "x", "version": "4.45.139", "private": True}),
    "ports.json": lambda _: json.dumps({"services": [{"port": n, "id": n} for n in range(999)]}),
}


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A folder with one file in which everything is evaluated and nothing is found."""
    folder = tmp_path / "case"
    folder.mkdir()
    lines = (ecs(destination__ip=f"10.20.0.{number}") for number in range(1, 9))
    (folder / "good.ndjson").write_text("".join(lines))
    return folder


def write(folder: Path, name: str, seed: int = 1) -> None:
    content = HARMLESS[name](random.Random(f"{name} {seed}"))
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_file_beside_good_logs_changes_nothing(name: str, good: Path, run: Run) -> None:
    write(good, name)
    result = run("scan", good, "--quiet")
    assert (result.code, result.out, result.err) == (0, "", "")


def test_all_of_them_together_change_nothing_in_an_archive_either(good: Path, run: Run) -> None:
    for name in HARMLESS:
        write(good, name, seed=2)
    archive = good.parent / "case.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as members:
        for path in sorted(good.iterdir()):
            members.write(path, path.name)
    assert run("scan", good, "--quiet").code == 0
    assert run("scan", archive, "--quiet").code == 0


def test_an_export_that_holds_events_of_other_kinds_alone_is_harmless_beside_connections(
    good: Path, run: Run
) -> None:
    listening = {
        "@timestamp": "2026-11-16T08:00:00Z",
        "event": {"category": ["network"], "action": "connection_listening"},
        "host": {"name": "WS-01", "os": {"type": "windows"}},
        "process": {"pid": 4},
        "network": {"transport": "tcp"},
        "source": {"ip": "10.20.1.11", "port": 445},
    }
    (good / "listening.ndjson").write_text((json.dumps(listening) + "\n") * 20)
    dns = [{"EventID": "22", "QueryName": "a.example", "QueryResults": "::ffff:8.8.8.8;"}] * 9
    (good / "dns.evtx").write_bytes(evtx(dns))
    process = [{"EventID": "1", "ProcessId": "4", "CommandLine": "x 445 10.0.0.1 8.8.8.8"}] * 9
    (good / "process.evtx").write_bytes(evtx(process))
    result = run("scan", good, "--quiet")
    assert (result.code, result.err) == (0, "")
