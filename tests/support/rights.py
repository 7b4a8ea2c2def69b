"""The rights of a plain user for processes of tests, which may run as root in a container."""

import ctypes
import os

_READ_ANY, _OVERRIDE, _DROP_FROM_BOUNDS = 2, 1, 24


def give_up_roots_rights() -> None:
    """Let the rights of files count, for root too; to be called between fork and exec."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in (_OVERRIDE, _READ_ANY):
            libc.prctl(_DROP_FROM_BOUNDS, capability, 0, 0, 0)
