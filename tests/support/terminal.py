"""A command run on a terminal."""

import fcntl
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Sequence
from struct import pack

from tests.conftest import ROOT

_ROWS, _COLUMNS = 24, 100


def shown(arguments: Sequence[object]) -> tuple[int, str]:
    """Return the exit code of a command whose stderr is a terminal, and what that was sent."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, pack("HHHH", _ROWS, _COLUMNS, 0, 0))
    # A bar is for people: CI does not get one.
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    with subprocess.Popen(
        [sys.executable, "-m", "smbrare", *map(str, arguments)],
        cwd=ROOT,
        env=environment | {"TERM": "xterm"},
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        sent = b""
        try:
            while block := os.read(ours, 65_536):
                sent += block
        except OSError:  # How Linux says that the other end was closed.
            pass
        os.close(ours)
    return process.returncode, sent.decode()
