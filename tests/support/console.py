"""Documents with console blocks: their commands run in order, in one place.

What needs a shell gets one; a command of the program alone runs in this process.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT
from tests.support.program import Program

_BLOCK = re.compile(r"```console\n(.*?)```\n", re.DOTALL)
_TIMING = re.compile(r" in [0-9.]+ s$", re.MULTILINE)
_SHOW_CODE = '; echo "exit code $?"'
_NEEDS_SHELL = re.compile(r"[^\w ./:,*=-]")


def arguments(command: str, folder: Path) -> list[str]:
    """Return a command's arguments as a shell in a folder makes them."""
    return [
        made
        for word in shlex.split(command)
        for made in (
            sorted(str(path.relative_to(folder)) for path in folder.glob(word))
            if "*" in word
            else [word]
        )
    ]


def timeless(text: str) -> str:
    """Return what the program printed with the time that it took always the same."""
    return _TIMING.sub(" in 0.1 s", text)


def current(text: str, folder: Path) -> str:
    """Return a document with what each command prints now below it.

    Args:
        text: The document; a line of a block that starts with ``$`` is a command.
        folder: A new folder: the home, and the place to work in, with docs and fixtures.
    """
    programs = folder / "bin"
    programs.mkdir()
    for name in ("smbrare", "check-jsonschema"):
        program = programs / name
        module = name.replace("-", "_")
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
        program.chmod(0o755)
    for name in ("docs", "fixtures"):
        (folder / name).symlink_to(ROOT / name)
    environment = {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PYTHONIOENCODING": "utf-8",
        "HOME": str(folder),
        "COLUMNS": "120",
    }

    def printed(command: str) -> str:
        alone = command.removesuffix(_SHOW_CODE)
        if alone.startswith("smbrare ") and not _NEEDS_SHELL.search(alone):
            given = arguments(alone, folder)[1:]
            done = Program(folder).run(*given, env={"COLUMNS": "120"}, cwd=folder, mixed=True)
            return done.out + (f"exit code {done.code}\n" if alone != command else "")
        shell = subprocess.run(
            ["/bin/sh", "-c", command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            check=False,
        )
        return shell.stdout.decode()

    def lines(block: str) -> Iterator[str]:
        for line in block.splitlines():
            if line.startswith("$ "):
                yield f"{line}\n{timeless(printed(line[2:]))}"

    return _BLOCK.sub(lambda match: f"```console\n{''.join(lines(match[1]))}```\n", text)
