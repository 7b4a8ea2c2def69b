"""Run the program: the command ``smbrare``, or ``python -m smbrare``."""

import gc
import signal
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Load the command line, run it, and exit with the code that the documentation promises."""
    if hasattr(sys, "frozen"):  # One executable, which is also what its processes are started as.
        from multiprocessing import freeze_support  # noqa: PLC0415

        freeze_support()
    # What a run loads and makes, it keeps: to look for cycles in it takes time and finds few.
    gc.set_threshold(100_000, 50, 100)
    # Loading takes the longest of a short run. Until what is loaded listens to Ctrl-C, that ends
    # the program as it ends any other, without a traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from smbrare.cli import main as run  # noqa: PLC0415

    run()


if __name__ == "__main__":
    main()
