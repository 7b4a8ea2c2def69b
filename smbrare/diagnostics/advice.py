"""Advises what to change at an exporter, by a table of conditions on what its events lack."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from smbrare.detection.source_survey import SourceSurvey
from smbrare.detection.survey import totals
from smbrare.diagnostics.inspection import Inspected, SourceDetails
from smbrare.rule import predicate
from smbrare.text import counted


class Facts(Struct, frozen=True):
    """What is known of one source in all inputs.

    Attributes:
        source: Its name.
        survey: Its counts, as a scan makes them.
        details: Its further counts.
    """

    source: str
    survey: SourceSurvey
    details: SourceDetails

    @property
    def network(self) -> int:
        """Network events."""
        return self.survey.network

    @property
    def has_pids(self) -> bool:
        """Whether any network event has a process id."""
        return self.survey.present["process.pid"] > 0

    def missing(self, field: str) -> int:
        """Return how many events lack a field: those to SMB ports, or all where there are none."""
        counts = self.details.smb_missing if self.details.smb else self.details.missing
        return counts[field]

    def has_kind(self, start: str) -> bool:
        """Return whether any network event is of a kind that starts with a text."""
        return any(kind.startswith(start) for kind in self.survey.kinds)


class Advice(Struct, frozen=True):
    """One thing to change.

    Attributes:
        source: The source that it is about.
        seen: What was found, with its count.
        change: What to do about it.
    """

    source: str
    seen: str
    change: str


class _Condition(Struct, frozen=True):
    """A line of the table.

    Attributes:
        count: How many events it is true of; 0 for "does not apply".
        seen: What is said then, with the count at ``{n}`` and a plural's s at ``{s}``.
        change: What to do about it.
        missing: The field that is missing, if one is; the vendor's own remedy goes before.
    """

    count: Callable[[Facts], int]
    seen: str
    change: str
    missing: str = ""


def _when(
    applies: Callable[[Facts], bool], count: Callable[[Facts], int]
) -> Callable[[Facts], int]:
    return lambda facts: count(facts) if applies(facts) else 0


def _lacks(field: str) -> Callable[[Facts], int]:
    return _when(
        lambda facts: facts.survey.present["destination.port"] > 0,
        lambda facts: facts.missing(field),
    )


def _inferred(field: str) -> Callable[[Facts], int]:
    return lambda facts: facts.details.inferred[field]


def _malformed(field: str) -> Callable[[Facts], int]:
    return lambda facts: facts.survey.malformed[field]


def _records(facts: Facts) -> int:
    return facts.survey.records


def _network(facts: Facts) -> int:
    return facts.network


_AS_ELASTIC = "smbrare supplies it; Elastic's own rule would not match these events"

_FIELDS = tuple(clause.field for clause in predicate.CLAUSES)
_HOW_TO_EXPORT = {
    "host.os.type": "Let the agent add host metadata (add_host_metadata), or set host.os.type in "
    "the ingest pipeline; Elastic's rule needs it as well.",
    "process.pid": "Export the connection's own process id: in Sysmon's ProcessId of EventData, "
    "which some agents lose beside the id of the logging service.",
    "network.transport": "Map the protocol to network.transport: SentinelOne's integration never "
    "does, Defender's does since 2.14.2.",
    "event.category": "Export after the integration's ingest pipeline, or export the vendor's raw "
    "records.",
}
_HOW_TO_EXPORT |= {
    field: f"Keep {field} in the export: list it among the exported fields or columns."
    for field in reversed(_FIELDS)
    if field not in _HOW_TO_EXPORT and field != "destination.port"
}
"""What to do about each missing field of the rule; a port is missing in name lookups as well."""

_EVENT_DATA = "Export the complete event: its EventData contains {}."
_REMEDIES = {
    "defender": "Add {} to the query's project, or export without project.",
    "sentinel_one": "Add {} to the query's columns, or export all columns.",
    "sysmon": _EVENT_DATA,
    "windows_firewall": _EVENT_DATA,
    "winlogbeat": _EVENT_DATA,
}
"""What to do about a missing field of a vendor's own records, with its name there."""

_NO_KERNEL = "and no SMB connection of PID 4"
_LOG_KERNEL = (
    "Log the kernel's connections too: Sysmon event 3 for Image System, or the network events of "
    "an endpoint agent. Without them a scan has no findings; it lists such servers as also seen."
)

_TABLE: tuple[_Condition, ...] = (
    _Condition(
        _when(lambda facts: not facts.network, _records),
        "no network event among {n} record{s}",
        "Export network connections too: Sysmon event 3, Elastic Defend's network events, or "
        "Defender's DeviceNetworkEvents.",
    ),
    _Condition(
        _when(lambda facts: not facts.survey.present["destination.port"], _network),
        "{n} network event{s} and none with a port: name lookups only",
        "Export connections beside name lookups: Sysmon event 3 beside event 22, and no filter on "
        "the kind of network event.",
    ),
    _Condition(
        _when(
            lambda facts: (
                facts.has_kind("Sysmon event 3") and facts.has_pids and not facts.details.kernel
            ),
            lambda facts: facts.survey.present["destination.port"],
        ),
        "{n} connection{s} of Sysmon, none of PID 4",
        "Sysmon logs no event 3 for PID 4: in its configuration, include NetworkConnect for Image "
        "System, or for DestinationPort 445 and 139.",
    ),
    _Condition(
        _when(
            lambda facts: (
                not facts.has_kind("Sysmon event 3")
                and bool(facts.details.smb)
                and not facts.survey.kernel_smb
                and facts.has_pids
            ),
            lambda facts: facts.details.smb,
        ),
        "{n} SMB connection{s}, none of PID 4",
        "Export the records that name the initiating process: the kernel, PID 4, makes SMB "
        "connections.",
    ),
    _Condition(
        _when(
            lambda facts: facts.survey.present["destination.port"] > 0 and not facts.details.smb,
            lambda facts: facts.survey.present["destination.port"],
        ),
        "{n} connection{s}, none to port 139 or 445, not even internal",
        "Take out the filter on ports or on the system's own processes, at the agent or in the "
        "query of the export.",
    ),
    *(
        _Condition(_lacks(field), f"{field}{{of}} missing in {{n}} connection{{s}}", change, field)
        for field, change in _HOW_TO_EXPORT.items()
    ),
    *(
        _Condition(
            _inferred(field),
            f"{field} inferred in {{n}} network event{{s}}",
            f"Let the exporter write {field}: {_AS_ELASTIC}.",
        )
        for field in _FIELDS
    ),
    *(
        _Condition(
            _malformed(field),
            f"{{n}} malformed value{{s}} of {field}",
            "Correct the mapping: an address without port or leading zeros, a plain number.",
        )
        for field in _FIELDS
    ),
    _Condition(
        lambda facts: facts.details.undated,
        "{n} network event{s} without a time that can be read",
        "Export @timestamp as ISO 8601 or as epoch milliseconds.",
    ),
    _Condition(
        lambda facts: facts.details.zone_assumed,
        "{n} time{s} without a zone",
        "Export times in UTC with a Z, or name their zone with --input-tz.",
    ),
    _Condition(
        lambda facts: facts.details.nameless,
        "{n} network event{s} without a host",
        "Export host.name, so that a finding says where to look.",
    ),
)
"""The conditions, what matters most first."""


def advise(inspected: Inspected) -> Iterator[Advice]:
    """Yield what to change: for unknown records and files first, then by source.

    Of each, what matters most comes first.
    """
    inspection = inspected.inspection
    for look, found in inspection.looks.items():
        seen = f"{found.count:,} that look{'s' * (found.count == 1)} like {look.name}: {look.lacks}"
        yield Advice("unknown", seen, f"{look.remedy[0].upper()}{look.remedy[1:]}.")
    counts = totals(inspected.report.inputs)
    if inspection.clients and not any(survey.kernel_smb for survey in counts.values()):
        events = counted(inspection.clients, "event")
        yield Advice(
            "clients", f"{events} of SMB, WebDAV or NTLM clients, {_NO_KERNEL}", _LOG_KERNEL
        )
    for name, survey in sorted(counts.items()):
        facts = Facts(name, survey, inspection.details.get(name, SourceDetails()))
        for condition in _TABLE:
            if count := condition.count(facts):
                columns = " or ".join(sorted(facts.details.columns.get(condition.missing, ())))
                of, change = "", condition.change
                if columns != condition.missing:
                    # What the vendor calls it, not what ECS does.
                    of, change = f" ({columns})", _REMEDIES.get(name, change).format(columns)
                seen = condition.seen.format(n=f"{count:,}", s="" if count == 1 else "s", of=of)
                yield Advice(name, seen, change)
