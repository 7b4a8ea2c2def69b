"""The predicate of *Rare SMB Connection to the Internet*, clause by clause.

Source: Elastic's rule f580bf0a-2d23-43bb-b8e1-17548bb947ec (type new_terms on destination.ip,
history 7 days); its query is unchanged since December 2023.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from smbrare.records.event import EventFields
from smbrare.records.fields import Address
from smbrare.rule.networks import NOT_INTERNET, PRIVATE, Network, excluded_range, is_private

RULE_ID = "f580bf0a-2d23-43bb-b8e1-17548bb947ec"
RULE_NAME = "Rare SMB Connection to the Internet"
RULE_URL = (
    "https://github.com/elastic/detection-rules/blob/main/rules/windows/"
    "exfiltration_smb_rare_destination.toml"
)
RULE_VERSION = "2023-12"
RISK_SCORE = 47
SEVERITY = "medium"
HISTORY_DAYS = 7
SMB_PORTS = frozenset({139, 445})
KERNEL_PID = 4
INDICES = (
    "logs-endpoint.events.network-*",
    "winlogbeat-*",
    "logs-windows.sysmon_operational-*",
    "endgame-*",
    "logs-m365_defender.event-*",
    "logs-sentinel_one_cloud_funnel.*",
)
"""The index patterns that the rule runs over."""


class Clause(Struct, frozen=True):
    """One condition of the query.

    Attributes:
        field: The ECS field that it reads.
        wants: What the field has to hold, for the user.
        holds: Whether the values of the field satisfy it.
        among: The values or ranges, of which the field has to hold one.
        example: A value that satisfies it.
        negated: Whether it has to hold none of them instead.
    """

    field: str
    wants: str
    holds: Callable[[tuple[Any, ...]], bool]
    among: tuple[str | int | Network, ...]
    example: str | int
    negated: bool = False


def _one_of(field: str, *among: str | int) -> Clause:
    wanted = frozenset(among)
    wants = " or ".join(map(str, among))
    return Clause(field, wants, lambda values: not wanted.isdisjoint(values), among, among[-1])


def _any_internet_and_none_excluded(addresses: tuple[Address, ...]) -> bool:
    return bool(addresses) and all(excluded_range(address) is None for address in addresses)


CLAUSES: tuple[Clause, ...] = (
    _one_of("destination.port", *sorted(SMB_PORTS)),
    _one_of("process.pid", KERNEL_PID),
    Clause(
        "destination.ip",
        "an address on the internet",
        _any_internet_and_none_excluded,
        tuple(NOT_INTERNET),
        "1.1.1.1",  # The rule excludes every IPv4 range that is kept for documentation.
        negated=True,
    ),
    Clause(
        "source.ip",
        "a private address",
        lambda sources: any(map(is_private, sources)),
        PRIVATE,
        "10.0.0.1",
    ),
    _one_of("network.transport", "tcp"),
    _one_of("event.category", "network"),
    _one_of("host.os.type", "windows"),
)
"""The clauses, cheapest and most selective first: the order changes no verdict."""

_ELSEWHERE = frozenset({"destination.ip", "destination.port"})
"""Fields whose clauses say that an event is no SMB to the internet."""


def failing(event: EventFields) -> Iterator[Clause]:
    """Yield the clauses that an event does not satisfy.

    An event without destination.ip fails: Elasticsearch's query would pass it, but a new-terms
    rule has no term to report then.
    """
    return (clause for clause in CLAUSES if not clause.holds(event.read(clause.field).values))


def matches(event: EventFields) -> bool:
    """Return whether an event is a sighting: whether it satisfies every clause."""
    return next(failing(event), None) is None


def obstacles(failed: Iterable[Clause]) -> list[Clause]:
    """Return the clauses that an event fails, only as far as they decide what it is.

    Args:
        failed: Those that it fails, in the order of `CLAUSES`.

    Returns:
        None for a match, one for a near miss (see `sole_obstacle`). Looking
        stops at the second, and at one that says that the event goes elsewhere.
    """
    missed: list[Clause] = []
    for clause in failed:
        missed.append(clause)
        if len(missed) > 1 or clause.field in _ELSEWHERE:
            break
    return missed


def sole_obstacle(missed: Sequence[Clause]) -> Clause | None:
    """Return the clause that alone keeps an event to an SMB port on the internet from matching.

    Args:
        missed: The clauses that the event fails, or the first two of them.

    Returns:
        None where the event fails none or several, or where it goes elsewhere: to another port,
        to no address, or to one that is not on the internet.
    """
    if len(missed) != 1 or missed[0].field in _ELSEWHERE:
        return None
    return missed[0]


def goes_to_internet(event: EventFields) -> bool:
    """Return whether an event goes to an SMB port on the internet, whatever else it is."""
    return all(
        clause.holds(event.read(clause.field).values)
        for clause in CLAUSES
        if clause.field in _ELSEWHERE
    )


TECHNIQUES = (
    ("T1048", "Exfiltration Over Alternative Protocol"),
    ("T1187", "Forced Authentication"),
)

TACTICS = (("TA0010", "Exfiltration"), ("TA0006", "Credential Access"))

_SEVERITY_NUMBERS = {"low": 21, "medium": 47, "high": 73, "critical": 99}
