"""Ctrl-C and SIGTERM: until when they stop a run."""

import signal
import threading
from types import FrameType
from typing import NoReturn

from msgspec import Struct, field


class Terminated(BaseException):
    """SIGTERM arrived."""


def listen() -> None:
    """From here on SIGTERM raises `Terminated`, as Ctrl-C raises KeyboardInterrupt."""
    signal.signal(signal.SIGTERM, _terminate)


def stop_listening() -> None:
    """Ignore both from here on: what follows happens, and the exit code has to say so."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


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
        signal.signal(signal.SIGINT, signal.default_int_handler)
        listen()


def at_a_good_moment() -> Stop:
    """From here on Ctrl-C and SIGTERM are noted, and the run ends when it is consistent."""
    stop = Stop()
    signal.signal(signal.SIGTERM, stop.tell)
    signal.signal(signal.SIGINT, stop.tell)
    return stop


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated
