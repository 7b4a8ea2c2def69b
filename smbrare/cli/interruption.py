"""Handles Ctrl-C and SIGTERM: until when they stop a run, and how.

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


class Terminated(BaseException):
    """SIGTERM arrived."""


def listen() -> None:
    """From here on both end the program with the code that is promised for them."""
    for number in _CODES:
        signal.signal(number, _exit)


def stop_listening() -> None:
    """Ignore both from here on: what follows happens, and the exit code has to say so."""
    for number in _CODES:
        signal.signal(number, signal.SIG_IGN)


class StopRequest(Struct):
    """Whether a run that goes on until it is asked to stop was asked.

    Attributes:
        number: The signal that asked; None so far.
    """

    number: int | None = None
    _asked: threading.Event = field(default_factory=threading.Event)

    def is_made(self) -> bool:
        """Return whether to stop."""
        return self._asked.is_set()

    def wait(self, seconds: float) -> None:
        """Wait for some seconds, or until asked to stop."""
        self._asked.wait(seconds)

    def make(self, number: int, frame: FrameType | None = None) -> None:
        """Ask to stop at the next good moment; a second signal stops at once."""
        del frame
        self.number = number
        self._asked.set()
        listen()


def await_stop_request() -> StopRequest:
    """From here on Ctrl-C and SIGTERM are noted, and the run ends when it is consistent."""
    request = StopRequest()
    for number in _CODES:
        signal.signal(number, request.make)
    return request


@contextmanager
def unwinding() -> Iterator[None]:
    """Have both raise here, as KeyboardInterrupt and `Terminated`: there is something to undo."""
    with _handling(_raise):
        yield


@contextmanager
def undoing(step: Callable[[], object]) -> Iterator[None]:
    """Have a step done before both end the program here; its OSErrors are ignored."""
    before = {number: signal.getsignal(number) for number in _CODES}

    def stop(number: int, frame: FrameType | None) -> None:
        with suppress(OSError):
            step()
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    with _handling(stop):
        yield


@contextmanager
def _handling(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in _CODES}
    try:
        yield
    finally:
        for number, other in before.items():
            # Unless they are ignored by now, and have to stay so.
            if signal.getsignal(number) is handler:
                signal.signal(number, other)


def clear_bar() -> None:
    """Clear the line of a progress bar, and show the terminal's cursor, which it hides."""
    os.write(2, _CLEAR_BAR)


def _exit(number: int, _frame: FrameType | None) -> None:
    os._exit(_CODES[signal.Signals(number)])


def _raise(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated
