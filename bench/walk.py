"""How far a record walks from file to finding: ``python -m bench.walk [LINE]``.

A scan of one line is run in this process, and the modules and functions of smbrare are counted that
are called: by the whole command, and from the moment that the file is opened until its finding is
written. What runs only because a module is loaded is not counted.
"""

import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

_FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "sample.ndjson"


class Walk:
    """What was called.

    Attributes:
        whole: The code that the command called.
        between: That of it which was called between the opening of the input and the finding.
        in_between: Whether the input is open, and its finding not yet written.
    """

    def __init__(self, path: str, package: str) -> None:
        self.whole: set[CodeType] = set()
        self.between: set[CodeType] = set()
        self.in_between = False
        self._path = path
        self._package = package
        self._loading = 0

    def heed(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Notice that the input is opened, as an audit hook."""
        if event == "open" and str(arguments[0]) == self._path:
            self.in_between = True

    def profile(self, frame: FrameType, event: str, _argument: Any) -> None:
        """Take in a call, as a profile function."""
        code = frame.f_code
        if code.co_name == "<module>":
            self._loading += {"call": 1, "return": -1}.get(event, 0)
        elif event == "call" and self._is_counted(code):
            self.whole.add(code)
            if self.in_between:
                self.between.add(code)

    def _is_counted(self, code: CodeType) -> bool:
        # A comprehension is a part of its function.
        is_named = not code.co_name.startswith("<")
        return not self._loading and is_named and code.co_filename.startswith(self._package)


class _Output(io.BytesIO):
    def __init__(self, walk: Walk) -> None:
        super().__init__()
        self._walk = walk

    def write(self, data: Any, /) -> int:
        """Notice that the finding is written."""
        self._walk.in_between = False
        return super().write(data)


def walk(line: str) -> Walk:
    """Return what a scan of a line calls.

    Raises:
        ValueError: If the line is no finding.
    """
    import smbrare  # noqa: PLC0415 - found where the caller says
    from smbrare.cli import main  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "line.ndjson"
        path.write_text(line + "\n")
        found = Walk(str(path), str(Path(smbrare.__file__).parent))
        sys.addaudithook(found.heed)
        sys.argv = ["smbrare", "scan", str(path), "--format", "ndjson", "--no-baseline", "-q"]
        output = _Output(found)
        stream = io.TextIOWrapper(output, encoding="utf-8")
        with contextlib.redirect_stdout(stream), contextlib.suppress(SystemExit):
            sys.setprofile(found.profile)
            try:
                main()
            finally:
                sys.setprofile(None)
        stream.flush()
    if b'"kind":"alert"' not in output.getvalue():
        raise ValueError("the line is no finding")
    return found


def _text(codes: set[CodeType]) -> str:
    return f"{len({code.co_filename for code in codes})} modules, {len(codes)} functions"


def main() -> None:
    """Print how much code a scan of one line calls."""
    lines = _FIXTURE.read_text().splitlines()
    given = sys.argv[1:]
    line = given[0] if given else next(line for line in lines if _is_smb(line))
    found = walk(line)
    sys.stdout.write(f"the command: {_text(found.whole)}\n")
    sys.stdout.write(f"from file to finding: {_text(found.between)}\n")


def _is_smb(line: str) -> bool:
    try:
        return bool(json.loads(line)["destination"]["ip"] == "45.83.122.10")
    except (ValueError, KeyError, TypeError):
        return False


if __name__ == "__main__":
    main()
