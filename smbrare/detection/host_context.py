"""What else happened on a finding's host around it, and who was logged on.

The record of the connection names SYSTEM and PID 4; whose hash was given away, and what made the
host connect, only other events tell. They decide nothing, and are never missed by chance: what is
kept are those nearest in time, in an order that depends on their content alone.
"""

from bisect import bisect_left, insort
from collections.abc import Mapping

from msgspec import Struct, field

from smbrare.detection.kept_events import Sighting
from smbrare.records.event import Origin
from smbrare.records.times import HOUR, MICROSECONDS
from smbrare.sources.activities.activity import Activity, ActivityKind

REACH = 5 * 60 * MICROSECONDS
"""How far before and after a finding its host's events are looked at."""

SESSION = 24 * HOUR
"""How far before a finding a logon is looked for."""

LURES = 30 * 60 * MICROSECONDS
"""How far before a finding a file is looked for that may have caused it."""

MOST_FINDINGS = 100
"""Findings that are looked around, the highest ranked."""

TOO_MANY = f"only the {MOST_FINDINGS} highest-ranked findings were looked around"

MOST_OF_A_KIND = 20
"""Events of each kind that are kept for a finding, the nearest in time."""

INTERACTIVE = frozenset(
    {
        "Interactive",
        "Unlock",
        "RemoteInteractive",
        "CachedInteractive",
        "CachedRemoteInteractive",
        "CachedUnlock",
    }
)
"""The types of a logon after which somebody sits at the machine, in Microsoft's words."""

_MOST_GAPS = 5
_SERVICES = frozenset(
    {
        "system",
        "local service",
        "network service",
        "anonymous logon",
        "iusr",
    }
)
_SERVICE_DOMAINS = frozenset({"nt service", "window manager", "font driver host"})


class LoggedOn(Struct, frozen=True):
    r"""Somebody who was logged on when a finding happened, as far as the logs tell.

    Attributes:
        user: ``DOMAIN\name``, or the name alone.
        how: The type of the logon in Microsoft's words (``Interactive``).
        since: When the last such logon before the finding was, in microseconds since 1970 UTC.
        origin: Where its record stands.
    """

    user: str
    how: str
    since: int
    origin: Origin


class Place(Struct, frozen=True):
    """Where and when to look.

    Attributes:
        host: The host's key (its name in lower case).
        time: When it connected, in microseconds since 1970 UTC.
        destination: The address that evidence is looked for.
        last: When it connected last, if more than once.
    """

    host: str
    time: int
    destination: str
    last: int | None = None


class HostContext(Struct, frozen=True):
    """What was found around a finding.

    Attributes:
        events: The host's events in time, at most `MOST_OF_A_KIND` of a kind.
        omitted: How many more there were, by kind.
        logged_on: Who was logged on at the time, the last to log on first.
        active: Who else's programs started in the time, sorted.
        gaps: Why something may be missing, for people.
    """

    events: tuple[Activity, ...] = ()
    omitted: Mapping[ActivityKind, int] = field(default_factory=dict)
    logged_on: tuple[LoggedOn, ...] = ()
    active: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()

    @property
    def users(self) -> tuple[str, ...]:
        """Whose hash the connection may have given away, the likeliest first."""
        return (*(each.user for each in self.logged_on), *self.active)


def place_of(sighting: Sighting) -> Place | None:
    """Return where and when a sighting was; None if that is unknown."""
    if sighting.event_time is None or not sighting.host:
        return None
    return Place(sighting.host, sighting.event_time, sighting.destination)


def is_person(user: str) -> bool:
    r"""Return whether an account may be somebody's: not the system's, a service's or a machine's.

    Args:
        user: ``DOMAIN\name``, or the name alone.
    """
    domain, _, name = user.lower().rpartition("\\")
    return bool(name) and not (
        name in _SERVICES or domain in _SERVICE_DOMAINS or name.endswith("$")
    )


def same_host(one: str, other: str) -> bool:
    """Return whether two names may be one host's: equal, or a short one and its full one.

    Exporters differ in which of both they write. Two full names have to be equal.
    """
    one, other = one.lower(), other.lower()
    if one == other:
        return bool(one)
    short, full = sorted((one, other), key=len)
    return bool(short) and "." not in short and full.startswith(f"{short}.")


def is_near(activity: Activity, time: int) -> bool:
    """Return whether an event lies in the window around a time in microseconds since 1970 UTC."""
    before = LURES if activity.kind == "file" else REACH
    return -before <= activity.time - time <= REACH


class Nearest(Struct):
    """The events nearest to a time, each once, in any order of the events.

    Attributes:
        time: Microseconds since 1970 UTC.
        most: How many are kept.
        kept: The nearest, in that order.
    """

    time: int
    most: int
    kept: list[Activity] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)

    @property
    def omitted(self) -> int:
        """How many others there were."""
        return len(self._seen) - len(self.kept)

    def add(self, activity: Activity) -> None:
        """Take in an event."""
        at = bisect_left(self.kept, self._near(activity), key=self._near)
        if at < len(self.kept) and self.kept[at].content == activity.content:
            # A copy of the same event: the first by place stands for both.
            self.kept[at] = min(self.kept[at], activity, key=_place)
            return
        digest = hash(activity.content)
        if digest in self._seen:
            return  # It was pushed out by nearer ones, which stay.
        self._seen.add(digest)
        insort(self.kept, activity, key=self._near)
        del self.kept[self.most :]

    def _near(self, activity: Activity) -> tuple[int, tuple[int | str, ...]]:
        """Return what puts the nearest in time first, and decides between those as near."""
        return (abs(activity.time - self.time), activity.content)


class Collector(Struct):
    """Gathers what happened around one finding, in any order of the events.

    Attributes:
        host: The host's key (its name in lower case).
        time: The finding's time, in microseconds since 1970 UTC.
    """

    host: str
    time: int
    _nearest: dict[ActivityKind, Nearest] = field(default_factory=dict)
    _logons: dict[str, Activity] = field(default_factory=dict)
    _logoffs: dict[str, int] = field(default_factory=dict)
    _active: dict[str, str] = field(default_factory=dict)

    def observe(self, activity: Activity) -> None:
        """Take in an event; of another host or another time it is passed over."""
        if not same_host(activity.host, self.host):
            return
        if activity.kind in {"logon", "logoff"}:
            self._session(activity)
        if not is_near(activity, self.time):
            return
        if activity.kind == "process" and is_person(activity.user):
            key = activity.user.lower()
            self._active[key] = min(self._active.get(key, activity.user), activity.user)
        nearest = self._nearest.setdefault(activity.kind, Nearest(self.time, MOST_OF_A_KIND))
        nearest.add(activity)

    def result(self, gaps: tuple[str, ...] = ()) -> HostContext:
        """Return what was gathered.

        Args:
            gaps: Why something may be missing.
        """
        kept = [activity for nearest in self._nearest.values() for activity in nearest.kept]
        logged_on = self._logged_on()
        known = {each.user.lower() for each in logged_on}
        return HostContext(
            events=tuple(sorted(kept, key=_content)),
            omitted={
                kind: nearest.omitted
                for kind, nearest in sorted(self._nearest.items())
                if nearest.omitted
            },
            logged_on=logged_on,
            active=tuple(self._active[key] for key in sorted(self._active.keys() - known)),
            gaps=gaps,
        )

    def _session(self, activity: Activity) -> None:
        """Note a logon or logoff before the finding."""
        if not is_person(activity.user) or not 0 <= self.time - activity.time <= SESSION:
            return
        key = activity.user.lower()
        if activity.kind == "logoff":
            self._logoffs[key] = max(self._logoffs.get(key, activity.time), activity.time)
        elif activity.what in INTERACTIVE:
            known = self._logons.get(key)
            if known is None or _recent(activity) < _recent(known):
                self._logons[key] = activity

    def _logged_on(self) -> tuple[LoggedOn, ...]:
        """Return whose last logon no logoff followed."""
        open_sessions = [
            logon
            for key, logon in self._logons.items()
            if key not in self._logoffs or self._logoffs[key] < logon.time
        ]
        return tuple(
            LoggedOn(logon.user, logon.what, logon.time, logon.origin)
            for logon in sorted(open_sessions, key=_recent)
        )


def _content(activity: Activity) -> tuple[int | str, ...]:
    return activity.content


def _place(activity: Activity) -> tuple[str, int]:
    return (activity.origin.path, activity.origin.number)


def _recent(logon: Activity) -> tuple[int, tuple[int | str, ...], tuple[str, int]]:
    """Return what puts the last logon first, and decides between those of one time."""
    return (-logon.time, logon.content, _place(logon))


def name_gaps(gaps: list[str]) -> tuple[str, ...]:
    """Return reasons why something may be missing, each once, the first few by spelling."""
    each = sorted(set(gaps))
    more = len(each) - _MOST_GAPS
    return (*each[:_MOST_GAPS], *([f"and {more:,} more"] if more > 0 else []))
