"""Every line decoded with orjson, and nothing done with it: ``orjson_lines.py FILE``."""

import sys
from pathlib import Path

import orjson


def main() -> None:
    """Decode each line."""
    with Path(sys.argv[1]).open("rb") as file:
        for line in file:
            orjson.loads(line)


if __name__ == "__main__":
    main()
