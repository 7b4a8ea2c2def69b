"""Ctrl-C and SIGTERM: until when they stop a run, and how.

They end the program at once. An exception would have to find its way through libraries in C and
Rust, and some of them swallow it, take it for damage of the input, or crash when it meets them
while they are imported. Only where a transaction has to be undone is there an exception.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from msgspec import Struct, field

from smbrare.errors import EXIT_INTERRUPTED, EXIT_TERMINATED

_CODES = {signal.SIGINT: EXIT_INTERRUPTED, signal.SIGTERM: EXIT_TERMINATED}
_CLEAR_BAR = b"\r\x1b[2K\x1b[?25h"

_undo: list[Callable[[], object]] = []
_unwinds = False


class Terminated(BaseException):
    """SIGTERM arrived."""


def listen() -> None:
    """From here on both end the program with the code that is promised for them."""
    for number in _CODES:
        signal.signal(number, _stop)


def stop_listening() -> None:
    """Ignore both from here on: what follows happens, and the exit code has to say so."""
    for number in _CODES:
        signal.signal(number, signal.SIG_IGN)


class Stop(Struct):
    """Whether a run that goes on until it is told to stop was told so.

    Attributes:
        number: The signal that told it; None so far.
    """

    number: int | None = None
    _told: threading.Event = field(default_factory=threading.Event)

    def is_told(self) -> bool:
        """Return whether to stop."""
        return self._told.is_set()

    def wait(self, seconds: float) -> None:
        """Wait for some seconds, or until told to stop."""
        self._told.wait(seconds)

    def tell(self, number: int, frame: FrameType | None = None) -> None:
        """Stop at the next good moment; a second signal stops at once."""
        del frame
        self.number = number
        self._told.set()
        listen()


def at_a_good_moment() -> Stop:
    """From here on Ctrl-C and SIGTERM are noted, and the run ends when it is consistent."""
    stop = Stop()
    signal.signal(signal.SIGTERM, stop.tell)
    signal.signal(signal.SIGINT, stop.tell)
    return stop


@contextmanager
def unwinding() -> Iterator[None]:
    """Have both raise here, as KeyboardInterrupt and `Terminated`: there is something to undo."""
    global _unwinds  # noqa: PLW0603 - what a signal does belongs to the process
    _unwinds = True
    try:
        yield
    finally:
        _unwinds = False


@contextmanager
def undoing(step: Callable[[], object]) -> Iterator[None]:
    """Have a step done before both end the program here; OSErrors of it are passed over."""
    _undo.append(step)
    try:
        yield
    finally:
        _undo.remove(step)


def clear_bar() -> None:
    """Clear the line of a progress bar, and show the terminal's cursor, which it hides."""
    os.write(2, _CLEAR_BAR)


def _stop(number: int, _frame: FrameType | None) -> None:
    if _unwinds:
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated
    for step in reversed(_undo):
        with suppress(OSError):
            step()
    os._exit(_CODES[signal.Signals(number)])
