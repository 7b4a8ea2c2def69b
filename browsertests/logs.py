"""Invented logs for reports: some connections to the internet, and what their hosts did."""

from collections.abc import Iterator
from typing import Any

from tests.support.activities import exposed, logon, process, windows
from tests.support.events import matching

START = "2026-11-10"
HOSTILE = [
    "</script><script>document.title='owned'</script>",
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    '"><svg onload="document.title=\'owned\'">',
    "' onmouseover='document.title=1",
    "</code></pre></details><h1>x</h1>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:document.title='owned'",
    "<!--<script>",
    "]]>&lt;b&gt;",
    "https://evil.example/x",
    "W" * 400,
]
"""Texts that would act in a page, or break its layout, if they were more than text."""

_OUTCOMES = ("success", "failure", None, "failure")


def few() -> Iterator[dict[str, Any]]:
    """Yield three connections, a week before them, and what the first host did."""
    yield from history()
    yield from opened_document("FIN-LT-042", "m.berger", "185.243.115.84")
    for minute in range(6):
        yield connection("WS-204", "20.60.40.9", f"2026-11-{17 + minute}T02:00:03Z", "success")
    for second in (54, 55):
        yield connection("WS-131", "91.219.236.18", f"2026-11-20T09:35:{second}Z", "failure")
    yield connection("WS-135", "91.219.236.18", "2026-11-21T07:12:00Z", "failure")


def many(number: int, hosts: int = 40) -> Iterator[dict[str, Any]]:
    """Yield connections to a number of destinations of every grade, from some hosts.

    Args:
        number: How many destinations.
        hosts: How many hosts.
    """
    yield from history()
    yield from opened_document("FIN-LT-042", "m.berger", "185.243.115.84")
    for each in range(number - 1):
        address = f"{45 + each % 50}.{83 + each // 12_800}.{each // 50 % 256}.{10 + each % 7}"
        for again in range(1 + (each * 7) % 4):
            host = f"{('ENG-WS', 'FIN-LT')[each % 2]}-{(each * 5 + again * 3) % hosts:03}"
            day, hour = 11 + (each + again) % 12, (each * 5 + again) % 24
            time = f"2026-11-{day:02}T{hour:02}:{each % 60:02}:07Z"
            yield connection(host, address, time, _OUTCOMES[min(each % 12, 3)])


def hostile(texts: list[str]) -> Iterator[dict[str, Any]]:
    """Yield connections with hostile texts in every field that a report shows."""
    for number, text in enumerate(texts):
        yield matching(
            host__name=text,
            destination__ip=f"45.83.122.{number}",
            destination__domain=text,
            process__executable=text,
        )
        yield process(text, user=f"CORP\\{text}", host=text)
        yield logon(text, host=text)
        yield from exposed(text, f"45.83.122.{number}")
        client = {"ServerName": text, "Address": f"020001BD5BDBEC{number:02X}{'0' * 16}"}
        yield windows("Microsoft-Windows-SmbClient/Connectivity", 30803, client, host=text)


def incomplete() -> Iterator[dict[str, Any]]:
    """Yield events of which none can be evaluated."""
    for number in range(3):
        event = matching(destination__ip=f"45.83.122.{number}")
        event["host"].pop("os")
        yield event


def history() -> Iterator[dict[str, Any]]:
    """Yield a connection inside of the network for every hour."""
    for hour in range(24 * 18):
        time = f"2026-11-{4 + hour // 24:02}T{hour % 24:02}:30:00Z"
        yield connection("WS-001", "10.1.1.1", time, "success")


def connection(host: str, address: str, time: str, outcome: str | None) -> dict[str, Any]:
    """Return a connection."""
    found = matching(timestamp=time, host__name=host, destination__ip=address)
    found["event"] |= {} if outcome is None else {"outcome": outcome}
    found["source"]["ip"] = f"10.44.{sum(map(ord, host)) % 200}.{ord(host[-1])}"
    return found


def opened_document(host: str, user: str, address: str) -> Iterator[dict[str, Any]]:
    """Yield what a host did around a connection that a document caused."""
    day, account = "2026-11-17", f"CORP\\{user}"

    def at(time: str) -> dict[str, str]:
        return {"time": f"{day}T{time}.000Z", "host": host}

    yield logon(user, **at("08:02:11"))
    yield process("C:\\Program Files\\Office\\OUTLOOK.EXE", account, **at("10:14:52"))
    yield process("C:\\Program Files\\Office\\WINWORD.EXE", account, **at("10:15:43"))
    query = {
        "UtcTime": f"{day} 10:17:01.000",
        "QueryName": "docs-cdn.invoice-portal.example",
        "QueryResults": f"::ffff:{address};",
        "Image": "C:\\Program Files\\Office\\WINWORD.EXE",
        "User": account,
    }
    yield windows("Microsoft-Windows-Sysmon/Operational", 22, query, **at("10:17:01"))
    ntlm = {
        "TargetName": "cifs/docs-cdn.invoice-portal.example",
        "ClientUserName": user,
        "ClientDomainName": "CORP",
        "CallerPID": "4",
        "ProcessName": "",
    }
    yield windows("Microsoft-Windows-NTLM/Operational", 8001, ntlm, **at("10:17:04"))
    for second in ("03", "06", "12", "18", "25", "33", "41"):
        yield connection(host, address, f"{day}T10:17:{second}Z", "success")
    yield process("C:\\Windows\\notepad.exe", account, **at("10:18:40"))
