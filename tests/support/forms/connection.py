"""One connection of an invented network, to be written as any exporter writes it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True)
class Connection:
    """What happened, as far as exporters tell of it.

    Attributes:
        image: Path of the process; ``System`` for the kernel.
        outward: Whether the host opened the connection, rather than the remote side.
    """

    time: datetime = datetime(2026, 11, 16, 8, 15, 30, 123_000, tzinfo=UTC)
    host: str = "WS-07.corp.example"
    source: str = "10.20.1.17"
    source_port: int = 50211
    destination: str = "45.83.122.10"
    port: int = 445
    pid: int = 4
    image: str = "System"
    account: tuple[str, str] = ("NT AUTHORITY", "SYSTEM")
    domain: str = ""
    protocol: str = "tcp"
    outward: bool = True
    outcome: str = "success"

    @property
    def process(self) -> str:
        """Return the name of the process, empty for the kernel."""
        return self.image.rpartition("\\")[2] if "\\" in self.image else ""


def iso(time: datetime, digits: int = 3) -> str:
    """Return a time in UTC with a number of fraction digits and Z."""
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond:06d}0000"[: 20 + digits] + "Z"


_START = datetime(2026, 11, 16, 8, 15, 30, 123_000, tzinfo=UTC)

SCENE: tuple[Connection, ...] = (
    Connection(domain="share.example"),
    Connection(
        _START + timedelta(seconds=61, milliseconds=877),
        host="FS-02.corp.example",
        source="172.16.4.9",
        source_port=137,
        destination="185.220.101.4",
        port=139,
        outcome="failure",
    ),
    Connection(_START + timedelta(minutes=3), destination="10.20.0.5", source_port=50212),
    Connection(
        _START + timedelta(minutes=4),
        source_port=50213,
        destination="151.101.1.69",
        port=443,
        pid=5120,
        image="C:\\Program Files\\Browser\\browser.exe",
        account=("CORP", "j.doe"),
        domain="www.example",
    ),
    Connection(
        _START + timedelta(minutes=5),
        host="FS-02.corp.example",
        source="91.219.236.18",
        source_port=51515,
        destination="172.16.4.9",
        outward=False,
    ),
)
"""Two sightings, SMB inside the network, a browser, and SMB from outside."""
