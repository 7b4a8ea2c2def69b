"""What an event is about: a connection, or something that never matches the rule.

Sources of raw records know it by the number or the action of the event; of ECS documents it is
read from event.action, and only where a document lacks an address or a port.
"""

import re
from functools import lru_cache

from smbrare.records.event import EventFields

CONNECTION = "connection"
"""A kind of event that always has addresses, a port and a process id."""
NETWORK = "network"
"""A network event of which the source does not say more; it may lack any field."""
DNS = "DNS"
LISTENING = "listening"
PROCESS = "process"
OTHER = "other"

NO_CONNECTIONS = {
    DNS: "a DNS query",
    LISTENING: "a program that opens a port",
    PROCESS: "the start of a process",
    OTHER: "another kind of event",
}
"""What an event is that is no connection, in words."""

CONNECTS = frozenset({CONNECTION, NETWORK})
"""Kinds that are counted as connections."""

_DNS = re.compile(r"dns|lookup_(?:requested|result)")
_LISTENING = re.compile(r"listen|\bbind")
_CONNECTION = re.compile(
    # Elastic Defend and SentinelOne; Endgame with its address family in front of them.
    r"(?:ipv[46]_)?(?:re)?connect(?:ion)?_(?:attempted|accepted|attempt|accept)(?:_event)?"
    r"|(?:ipv[46]_)?disconnect(?:ed|_received)(?:_event)?"
    # Defender XDR.
    r"|(?:inbound)?connection(?:success|failed|request|attempt|accepted|acknowledged|found)"
    # Sysmon and the Windows Filtering Platform.
    r"|network connection(?: detected.*)?|windows-firewall-connection"
)


@lru_cache(maxsize=1_024)
def kind_of_action(action: str) -> str:
    """Return the kind of a network event by the name of its action, `NETWORK` if unknown."""
    text = action.lower()
    if _DNS.search(text):
        return DNS
    if _LISTENING.search(text):
        return LISTENING
    return CONNECTION if _CONNECTION.fullmatch(text) else NETWORK


def kind_of_document(event: EventFields) -> str:
    """Return the kind of a network event that is an ECS document."""
    if event.read("dns.question.name").values:
        return DNS
    kinds = {kind_of_action(action) for action in event.read("event.action").values}
    return next((kind for kind in (DNS, LISTENING, CONNECTION) if kind in kinds), NETWORK)
