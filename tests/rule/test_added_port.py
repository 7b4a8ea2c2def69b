"""A port that is added to the predicate passes the sieves by itself, however it is spelled."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.events import matching

PROGRAM = """
import importlib.util
import sys
from pathlib import Path

# The predicate with one port more, in the place of the one that everything else imports.
import smbrare.rule
spec = importlib.util.find_spec("smbrare.rule.predicate")
source = Path(spec.origin).read_text()
assert source.count("frozenset({139, 445})") == 1
predicate = importlib.util.module_from_spec(spec)
exec(source.replace("frozenset({139, 445})", "frozenset({139, 445, %s})"), predicate.__dict__)
sys.modules[spec.name] = smbrare.rule.predicate = predicate

from smbrare.inputs.discovery import discover
from smbrare.records.read_options import ReadOptions
from smbrare.scanning import planning
from smbrare.scanning.gathering import gather

planning.LARGE_BYTES = 1
partial = gather(list(discover(sys.argv[1:])), ReadOptions(), lambda _: None)
assert all(survey.sampled for survey in partial.surveys)
print(*sorted(contact.key[0] for contact in partial.sightings.contacts()))
"""
SPELLINGS = ("{port}", '"{port}"', '"00{port}"', '"+{port}"', '"{port}.7"', '"{escaped}"')


@pytest.mark.parametrize("port", [3020, 80, 8445, 44])
def test_an_added_port_passes_the_sieves(tmp_path: Path, port: int) -> None:
    escaped = "".join(f"\\u{ord(digit):04x}" for digit in str(port))
    wanted = []
    lines = []
    for number, spelling in enumerate(SPELLINGS, 1):
        wanted.append(f"45.83.122.{number}")
        line = json.dumps(matching(destination__ip=wanted[-1], destination__port="PORT"))
        lines.append(line.replace('"PORT"', spelling.format(port=port, escaped=escaped)))
    # Between events that only samples are taken of: the first and the last are sampled always.
    other = json.dumps(matching(destination__port=6_666))
    path = tmp_path / "events.ndjson"
    path.write_text("\n".join([other, *lines, other]) + "\n")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM % port, path], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == wanted, done.stderr
