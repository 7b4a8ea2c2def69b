"""The list of forms that are read leaves none out, and names what recognizes each."""

import json
from itertools import chain

import pytest

from smbrare.outputs.rule.sources import known_forms
from smbrare.records.read_options import ReadOptions
from smbrare.sources import recognize
from smbrare.sources.collector_shapes import SHAPES
from tests.conftest import Run
from tests.support.forms import FORMS
from tests.support.forms.connection import Connection


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_in_the_list_by_the_fields_that_identify_it(name: str) -> None:
    view = recognize(FORMS[name](Connection()), ReadOptions())
    assert view is not None
    is_windows = view.kind.startswith(("Sysmon event", "Security event"))
    sources = {form.source for form in known_forms()} if is_windows else {view.source}
    listed = [form for form in known_forms() if form.source in sources]
    assert listed
    if not view.kind.endswith("document"):
        found = set(view.identified_by()) - {"Type"}  # It only names the table.
        assert any(found <= {*chain(*form.marks)} for form in listed)


def test_the_list_names_each_once(run: Run) -> None:
    names = [(form.source, form.name) for form in known_forms()]
    assert len(names) == len(set(names))
    assert {shape.name for shape in SHAPES} <= {name for _, name in names}
    shown = run("rule", "show", "--sources").out
    told = json.loads(run("rule", "show", "--sources", "--format", "json").out)["forms"]
    assert [(form["source"], form["name"]) for form in told] == names
    assert all(f"  {name}\n" in shown for _, name in names)
