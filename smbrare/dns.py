"""Which names resolved to which addresses, told by the DNS events of a scan.

A name that stands in a connection's own record may be a reverse name, which whoever holds the
address chooses. Only an answer to a query ties a name to an address.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from smbrare.event import Readable
from smbrare.fields import Malformed, ip

NAME = "dns.question.name"
ANSWERS = "dns.answers.data"

_TYPE = re.compile(r"type: *[0-9]+ *")
"""What Sysmon and SentinelOne write before an answer that is no address, and before a name."""


def resolved(event: Readable) -> Iterator[tuple[str, str]]:
    """Yield each name of a DNS event, in lower case, with each address that it resolved to.

    Answers that are names are aliases on the way to the address.
    """
    for name in event.read(NAME).values:
        asked = _TYPE.sub("", name, count=1).strip().rstrip(".").lower()
        for text in event.read(ANSWERS).values:
            for answer in text.split(";"):
                try:
                    yield asked, str(ip(answer.strip()))
                except Malformed:
                    continue


def is_named(name: str, pattern: str) -> bool:
    """Return whether a name is a pattern's: the same, or below ``x`` for ``*.x``.

    Args:
        name: A name in lower case, without a dot at its end.
        pattern: Likewise, with ``*.`` before it for every name below.
    """
    return name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern


@dataclass(slots=True)
class Resolutions:
    """What the DNS events of a scan, or of a part of one, say about some names.

    Attributes:
        wanted: Patterns of the names to keep, as `is_named` takes them.
        addresses: The addresses of each of these names, in canonical text.
    """

    wanted: frozenset[str] = frozenset()
    addresses: dict[str, set[str]] = field(default_factory=dict)

    def observe(self, event: Readable) -> None:
        """Take in an event."""
        for name, address in resolved(event):
            if any(is_named(name, pattern) for pattern in self.wanted):
                self.addresses.setdefault(name, set()).add(address)

    def merge(self, other: "Resolutions") -> None:
        """Take in what another part says."""
        for name, found in other.addresses.items():
            self.addresses.setdefault(name, set()).update(found)

    def of(self, patterns: Iterable[str]) -> frozenset[str]:
        """Return the addresses of all names that any of the patterns names."""
        asked = tuple(patterns)
        return frozenset(
            address
            for name, found in self.addresses.items()
            if any(is_named(name, pattern) for pattern in asked)
            for address in found
        )
