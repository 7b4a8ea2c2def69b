"""Ctrl-C and SIGTERM: until when they stop a run."""

import signal
from types import FrameType
from typing import NoReturn


class Terminated(BaseException):
    """SIGTERM arrived."""


def listen() -> None:
    """From here on SIGTERM raises `Terminated`, as Ctrl-C raises KeyboardInterrupt."""
    signal.signal(signal.SIGTERM, _terminate)


def stop_listening() -> None:
    """Ignore both from here on: what follows happens, and the exit code has to say so."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated
