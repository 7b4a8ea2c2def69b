"""``smbrare schema``: print the JSON Schema of an output."""

import click

from smbrare.cli import writing
from smbrare.cli.command import Command
from smbrare.outputs.json_values import json_text
from smbrare.outputs.schema import schema, schema_names


@click.command("schema", cls=Command)
@click.argument("name", required=False, metavar="[NAME]", type=click.Choice(schema_names()))
def schema_command(name: str | None) -> None:
    """Show the JSON Schema of an output, or list the schemas.

    There is one (2020-12) for each JSON document and each line of NDJSON that smbrare writes, with
    the type and meaning of every key. The number at the end of its $id is its version.

    Exit codes: 0 printed; 2 wrong usage.

    Examples:
      smbrare schema
      smbrare schema finding > finding.schema.json
    """
    if name is not None:
        writing.write([json_text(schema(name), indent=True) + "\n"], None)
        return
    names = schema_names()
    wide = max(map(len, names))
    writing.write((f"{each:{wide}}  {schema(each)['description']}\n" for each in names), None)
