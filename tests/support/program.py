"""The program, run in this process or as one of its own, away from the user's configuration."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from unittest import mock

from smbrare import cli

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Result:
    """How a run of the program ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]


@dataclass(frozen=True)
class Program:
    """The program with a home of its own.

    Attributes:
        home: The user's folder, where configuration and baselines are looked for.
    """

    home: Path

    def environment(self, given: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the variables of a run: those of the tests without what configures the program."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SMBRARE_", "XDG_")) and name not in {"COLUMNS", "NO_COLOR"}
        }
        own = {"HOME": str(self.home), "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
        return inherited | own | dict(given or {})

    def run(
        self,
        *arguments: str | Path,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        mixed: bool = False,
    ) -> Result:
        """Run the command line in this process, which is afterwards what it was before.

        Its streams are real files, since the program asks for their descriptors; stdin is empty.

        Args:
            arguments: What follows the program's name.
            env: Variables besides those of `environment`.
            cwd: Where to run it.
            mixed: Whether both streams are the result's ``out``, as on a terminal.
        """
        with ExitStack() as stack:
            out = stack.enter_context(TemporaryFile())
            err = out if mixed else stack.enter_context(TemporaryFile())
            stack.enter_context(mock.patch.dict(os.environ, self.environment(env), clear=True))
            stack.enter_context(mock.patch.object(sys, "argv", ["smbrare", *map(str, arguments)]))
            stack.enter_context(chdir(cwd))
            stack.enter_context(_streams(out.fileno(), err.fileno()))
            stack.enter_context(_signals())
            code = cli.run()
            sys.stdout.flush()
            sys.stderr.flush()
            out.seek(0)
            err.seek(0)
            shown = out.read().decode()
            return Result(code, shown, "" if mixed else err.read().decode())

    def run_process(
        self,
        *arguments: str | Path,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
    ) -> Result:
        """Run ``python -m smbrare`` as a process."""
        done = subprocess.run(
            [sys.executable, "-m", "smbrare", *map(str, arguments)],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env=self.environment(env),
            cwd=cwd,
            check=False,
            timeout=120,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


@contextmanager
def _streams(out: int, err: int) -> Iterator[None]:
    """Give the interpreter streams like those of a process that writes to two files."""
    streams = {
        "stdin": os.fdopen(os.open(os.devnull, os.O_RDONLY), encoding="utf-8"),
        "stdout": os.fdopen(os.dup(out), "w", encoding="utf-8"),
        # As the interpreter has it: a line at a time, and whatever the characters.
        "stderr": os.fdopen(
            os.dup(err), "w", buffering=1, encoding="utf-8", errors="backslashreplace"
        ),
    }
    with ExitStack() as stack:
        for name, stream in streams.items():
            stack.enter_context(stream)
            stack.enter_context(mock.patch.object(sys, name, stream))
            stack.enter_context(mock.patch.object(sys, f"__{name}__", stream))
        yield


@contextmanager
def _signals() -> Iterator[None]:
    """Put back what signals do."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
