"""The demo of the Makefile installs no development tools, and explains a finding that it shows."""

import re

from tests.conftest import ROOT, Run

MAKEFILE = (ROOT / "Makefile").read_text()
RECIPE = MAKEFILE.partition("\ndemo:")[2].partition("\n\n")[0]
COMMANDS = re.findall(r"^\t@\$\(DEMO\)/bin/smbrare (.*)$", RECIPE, re.MULTILINE)


def test_the_demo_shows_findings_and_explains_the_one_that_it_names(run: Run) -> None:
    scan, explain = (run(*command.split()) for command in COMMANDS)
    assert scan.code == explain.code == 0
    (destination,) = re.findall(r"^([0-9.]+) is a finding", explain.out, re.MULTILINE)
    assert re.search(rf"\s{re.escape(destination)}\s", scan.out)
    shown = re.findall(r"^\t@echo '\$\$ smbrare (.*)'$", RECIPE, re.MULTILINE)
    assert [command.partition(" --")[0] for command in COMMANDS] == shown


def test_the_demo_needs_nothing_of_the_development_environment() -> None:
    (needs,) = re.findall(r"^ (.*?)  ##", RECIPE.splitlines()[0])
    assert needs == "$(DEMO)/.ready"
    (installs,) = re.findall(
        r"^\t@\$\(DEMO\)/bin/python \$\(INSTALL\) (.*)$", MAKEFILE, re.MULTILINE
    )
    assert installs == "."
