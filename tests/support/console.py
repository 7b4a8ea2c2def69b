"""Documents with console blocks: their commands run in order, in one place."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT

_BLOCK = re.compile(r"```console\n(.*?)```\n", re.DOTALL)
_TIMING = re.compile(r" in [0-9.]+ s$", re.MULTILINE)


def current(text: str, folder: Path) -> str:
    """Return a document with what each command prints now below it.

    Args:
        text: The document; a line of a block that starts with ``$`` is a command.
        folder: A new folder: the home, and the place to work in, with docs and fixtures.
    """
    programs = folder / "bin"
    programs.mkdir()
    program = programs / "smbrare"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m smbrare "$@"\n')
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

    def lines(block: str) -> Iterator[str]:
        for line in block.splitlines():
            if line.startswith("$ "):
                yield f"{line}\n"
                done = subprocess.run(
                    ["/bin/sh", "-c", line[2:]],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    cwd=folder,
                    env=environment,
                    check=False,
                )
                yield _TIMING.sub(" in 0.1 s", done.stdout.decode())

    return _BLOCK.sub(lambda match: f"```console\n{''.join(lines(match[1]))}```\n", text)
