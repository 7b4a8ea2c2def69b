"""Handles Ctrl-C, SIGTERM and SIGHUP: until when they stop a run, and how.

One that was ignored when the program began, as nohup and scripts do it, stays so.

They end the program at once. An exception would have to find its way through libraries in C and
Rust, and some of them swallow it, take it for damage of the input, or crash when it meets them
while they are imported. Only where a transaction has to be undone is there an exception.
"""

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from msgspec import Struct

from smbrare.errors import EXIT_INTERRUPTED, EXIT_TERMINATED

_CODES = {signal.SIGINT: EXIT_INTERRUPTED, signal.SIGTERM: EXIT_TERMINATED}
if hasattr(signal, "SIGHUP"):
    _CODES[signal.SIGHUP] = EXIT_TERMINATED
_OTHERS = ("QUIT", "ABRT", "USR1", "USR2", "ALRM", "VTALRM", "PROF", "XCPU", "POLL", "PWR")
_ALL = [
    *_CODES,
    *(getattr(signal, f"SIG{name}") for name in _OTHERS if hasattr(signal, f"SIG{name}")),
]
"""With those that would end a program which says nothing of them."""
_ONE_WAIT = 0.2
"""Seconds to wait at a time: what was asked is seen soon, and a handler needs no lock."""
_CLEAR_BAR = b"\r\x1b[2K\x1b[?25h"


class Terminated(BaseException):
    """SIGTERM or SIGHUP arrived."""


def listen() -> None:
    """From here on they end the program with the code that is promised for them."""
    for number in _heard(_CODES):
        signal.signal(number, _exit)


def _heard(numbers: Iterable[signal.Signals]) -> list[signal.Signals]:
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


def stop_listening() -> None:
    """Ignore them from here on: what follows happens, and the exit code has to say so."""
    for number in _CODES:
        signal.signal(number, signal.SIG_IGN)


class StopRequest(Struct):
    """Whether a run that goes on until it is asked to stop was asked.

    Attributes:
        number: The signal that asked; None so far.
    """

    number: int | None = None

    def is_made(self) -> bool:
        """Return whether to stop."""
        return self.number is not None

    def wait(self, seconds: float) -> None:
        """Wait for some seconds, or until asked to stop."""
        end = time.monotonic() + seconds
        while self.number is None and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _ONE_WAIT))

    def make(self, number: int, frame: FrameType | None = None) -> None:
        """Ask to stop at the next good moment; a second signal stops at once."""
        del frame
        self.number = number
        listen()


def await_stop_request() -> StopRequest:
    """From here on they are noted, and the run ends when it is consistent."""
    request = StopRequest()
    for number in _heard(_CODES):
        signal.signal(number, request.make)
    return request


@contextmanager
def unwinding() -> Iterator[None]:
    """Have them raise here, as KeyboardInterrupt and `Terminated`: there is something to undo."""
    with _handling(_raise, _CODES):
        yield


@contextmanager
def undoing(step: Callable[[], object]) -> Iterator[None]:
    """Have a step done before any signal ends the program here; its OSErrors are ignored."""
    before = {number: signal.getsignal(number) for number in _ALL}

    def stop(number: int, frame: FrameType | None) -> None:
        with suppress(OSError):
            step()
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    with _handling(stop, _ALL):
        yield


@contextmanager
def _handling(
    handler: Callable[[int, FrameType | None], None], numbers: Iterable[signal.Signals]
) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in _heard(numbers)}
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
