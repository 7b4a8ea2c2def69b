"""Rewrite ``fixtures/sources``: the records of every form, and what is read of them."""

import json

from tests.support.forms import FOLDER, FORMS, fixture
from tests.support.forms.reading import normalized

FOLDER.mkdir(parents=True, exist_ok=True)
for name in FORMS:
    text = "".join(json.dumps(record) + "\n" for record in fixture(name))
    (FOLDER / f"{name}.ndjson").write_text(text, encoding="utf-8")

expected = {name: [normalized(record) for record in fixture(name)] for name in sorted(FORMS)}
rows = (
    f"{json.dumps(name)}: [\n" + ",\n".join(json.dumps(event) for event in events) + "\n]"
    for name, events in expected.items()
)
(FOLDER / "expected.json").write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")
