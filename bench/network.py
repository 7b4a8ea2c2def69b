"""An invented network: its hosts, and the connections that they make."""

from dataclasses import dataclass, field
from random import Random

KERNEL = ("System", "NT AUTHORITY", "SYSTEM")
PROGRAMS = (
    ("C:\\Windows\\System32\\svchost.exe", "NT AUTHORITY", "NETWORK SERVICE"),
    ("C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe", "CORP", "user17"),
    ("C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe", "CORP", "user42"),
    ("C:\\Windows\\System32\\lsass.exe", "NT AUTHORITY", "SYSTEM"),
    ("C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE", "CORP", "user05"),
)
INTERNAL_PORTS = (88, 135, 389, 443, 3268, 5985, 8080, 49667)
ROGUE_RANGES = ("45.83.122", "91.219.236", "185.220.101")
WEB_RANGES = ("20.60", "13.107", "142.250", "151.101", "104.18")


@dataclass(frozen=True, slots=True)
class Host:
    """One computer."""

    name: str
    ip: str
    id: str
    agent: str
    mac: str


@dataclass(frozen=True, slots=True)
class Connection:
    """What one event tells about.

    Attributes:
        host: Where the connection starts.
        destination: Address that it goes to.
        port: Port there.
        source_port: Port of the host.
        pid: The process that opened it.
        executable: That process's file.
        domain: Domain of its user.
        user: Name of its user.
    """

    host: Host
    destination: str
    port: int
    source_port: int
    pid: int
    executable: str
    domain: str
    user: str


def hexadecimal(random: Random, bits: int) -> str:
    """Return a random number in hexadecimal digits, as hashes are written."""
    return f"{random.getrandbits(bits):0{bits // 4}x}"


def guid(random: Random) -> str:
    """Return a random GUID in braces."""
    text = hexadecimal(random, 128)
    return f"{{{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}}}"


def _host(random: Random, name: str, ip: str) -> Host:
    mac = "-".join(f"{random.randrange(256):02x}" for _ in range(6))
    return Host(name, ip, guid(random)[1:-1], guid(random)[1:-1], mac)


@dataclass(slots=True)
class Network:
    """The hosts of one organization and where chance stands.

    Attributes:
        random: Draws everything; its seed makes the data.
    """

    random: Random
    clients: list[Host] = field(init=False)
    servers: list[Host] = field(init=False)
    collector: Host = field(init=False)
    rogues: list[str] = field(init=False)
    _records: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        random = self.random
        self.clients = [
            _host(random, f"WS-{n:04d}", f"10.20.{n // 250}.{n % 250 + 2}") for n in range(1500)
        ]
        self.servers = [_host(random, f"SRV-{n:02d}", f"10.1.0.{n + 10}") for n in range(40)]
        self.collector = _host(random, "COLLECTOR", "10.1.0.5")
        self.rogues = [
            f"{random.choice(ROGUE_RANGES)}.{random.randrange(1, 255)}" for _ in range(40)
        ]

    def next_record(self, host: Host) -> int:
        """Return the next record number of a host's event log."""
        number = self._records.get(host.name) or self.random.randrange(10**5, 10**7)
        self._records[host.name] = number + 1
        return number

    def ordinary(self) -> Connection:
        """Return a connection that does not match the rule.

        One in ten goes to SMB on an internal server, by the kernel; one in 2,000 to SMB on the
        internet by a program, which is one clause away; the rest goes elsewhere.
        """
        random = self.random
        draw = random.random()
        if draw < 0.1:  # noqa: PLR2004 - see above
            return self.internal_smb()
        program = random.choice(PROGRAMS)
        pid = random.randrange(400, 20_000) & ~3
        if draw < 0.1005:  # noqa: PLR2004 - see above
            return self._connection(random.choice(self.rogues), 445, pid, program)
        if draw < 0.5:  # noqa: PLR2004 - as many inside as outside
            port = random.choice(INTERNAL_PORTS)
            return self._connection(random.choice(self.servers).ip, port, pid, program)
        address = f"{random.choice(WEB_RANGES)}.{random.randrange(256)}.{random.randrange(1, 255)}"
        return self._connection(address, 443 if draw < 0.95 else 80, pid, program)  # noqa: PLR2004

    def internal_smb(self) -> Connection:
        """Return a connection of the kernel to SMB on an internal server."""
        port = 139 if self.random.random() < 0.1 else 445  # noqa: PLR2004 - a tenth is NetBIOS
        return self._connection(self.random.choice(self.servers).ip, port, 4, KERNEL)

    def matching(self) -> Connection:
        """Return a connection that matches the rule."""
        return self._connection(self.random.choice(self.rogues), 445, 4, KERNEL)

    def _connection(
        self, destination: str, port: int, pid: int, program: tuple[str, str, str]
    ) -> Connection:
        random = self.random
        executable, domain, user = program
        return Connection(
            host=random.choice(self.clients),
            destination=destination,
            port=port,
            source_port=random.randrange(49152, 65536),
            pid=pid,
            executable=executable,
            domain=domain,
            user=user,
        )
