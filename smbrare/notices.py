"""Messages that may come in floods: the first of a minute are told, the others counted; pure."""

from collections.abc import Iterator

from msgspec import Struct, field

MOST = 10
"""Messages about one file that are told in one span."""

SPAN = 60.0
"""Its length, in seconds."""


class _Told(Struct):
    since: float
    told: int = 0
    kept: int = 0


class Flood(Struct):
    """What was told about each file lately.

    Attributes:
        most: Messages about one file that are told in one span.
        span: Its length in seconds.
    """

    most: int = MOST
    span: float = SPAN
    _files: dict[str, _Told] = field(default_factory=dict)

    def admits(self, path: str, now: float) -> bool:
        """Return whether to tell a message about a file; one that is not told is counted.

        Args:
            path: The file.
            now: Seconds of any clock that never goes back.
        """
        told = self._files.setdefault(path, _Told(now))
        if told.told < self.most:
            told.told += 1
            return True
        told.kept += 1
        return False

    def keep(self, path: str, count: int, now: float) -> None:
        """Count messages about a file that are not even there to be told."""
        self._files.setdefault(path, _Told(now)).kept += count

    def over(self, now: float | None = None) -> Iterator[tuple[str, int]]:
        """Yield each file whose span is over with how many messages about it were kept, if any.

        Args:
            now: Seconds of the same clock; None to end all spans.
        """
        for path, told in list(self._files.items()):
            if now is None or now - told.since >= self.span:
                del self._files[path]
                if told.kept:
                    yield path, told.kept
