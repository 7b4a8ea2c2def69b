"""``python -m fuzz [TARGET…]``: fuzz each target for FUZZ_SECONDS, 60 by default.

The corpus grows in ``.fuzz/``; an input that breaks a target is left there as
``TARGET-crash-…`` or ``-timeout-…``. It becomes a file of ``fixtures/fuzz/TARGET``, which the
tests give to its target ever after.
"""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from fuzz.seeds import seeds
from fuzz.targets import TARGETS

FOLDER = Path(__file__).parents[1] / ".fuzz"
_LONGEST = 20_000
_SECONDS_AN_INPUT = 10
_MEMORY_MIB = 2_048


def main(arguments: list[str]) -> int:
    """Fuzz targets one after the other, each in a process, and return whether one broke."""
    seconds = os.environ.get("FUZZ_SECONDS", "60")
    broken = [name for name in arguments or TARGETS if _start(name, seconds)]
    print("fuzz:", f"broken: {', '.join(broken)}" if broken else "all targets held")  # noqa: T201
    return bool(broken)


def _start(name: str, seconds: str) -> bool:
    """Fuzz one target in a process of its own, and return whether it broke."""
    corpus = FOLDER / name
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in seeds(name):
        (corpus / sha256(seed).hexdigest()[:16]).write_bytes(seed)
    limits = (
        f"-max_total_time={seconds}",
        f"-max_len={_LONGEST}",
        f"-timeout={_SECONDS_AN_INPUT}",
        f"-rss_limit_mb={_MEMORY_MIB}",
        f"-artifact_prefix={FOLDER / name}-",
        "-print_final_stats=1",
    )
    print(f"fuzz: {name} for {seconds} s", flush=True)  # noqa: T201
    command = [sys.executable, "-m", "fuzz.instrumented", name, *limits, str(corpus)]
    return subprocess.run(command, check=False, cwd=FOLDER.parent).returncode != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
