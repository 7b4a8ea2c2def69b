"""Tables in JSON: names of columns and lists of values become one object a row.

ES|QL and SQL of Elasticsearch and OpenSearch, Azure Log Analytics and Kusto, Splunk's rows and the
two tables that pandas writes by default all keep the names apart from the values.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from smbrare.records.event import Document

ROWS = ("values", "rows", "Rows", "datarows", "data")
"""Keys of a list of rows, each of them a list of values in the order of the columns."""

HEADERS = ("columns", "Columns", "schema", "fields")
"""Keys of the names, which stand before the rows: each is a text or an object that holds one."""

_NAMES = ("name", "ColumnName")


def columns_of(table: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the names of a table's columns; None if an object names none."""
    for key in HEADERS:
        header = table.get(key)
        if isinstance(header, list) and header:
            names = tuple(_name(column) for column in header)
            if all(names):
                return names
    return None


def row_object(columns: tuple[str, ...], row: object) -> Document | None:
    """Return a row as an object without what is null; None if it is no row of these columns."""
    if not isinstance(row, list) or len(row) != len(columns):
        return None
    return {name: value for name, value in zip(columns, row, strict=True) if value is not None}


def rows_and_rest(document: Document) -> tuple[list[Document], Document] | None:
    """Return the rows of a table, and what is left of it beside them; None if it is no table."""
    for key in ROWS:
        rows = document.get(key)
        if not isinstance(rows, list) or not rows or not isinstance(rows[0], list):
            continue
        columns = columns_of(document)
        if columns is None:
            return None
        found = _rows(columns, rows)
        if found is None:
            return None
        rest = {name: value for name, value in document.items() if name != key}
        return found, rest
    return _of_frame(document)


def _rows(columns: tuple[str, ...], rows: list[Any]) -> list[Document] | None:
    """Return rows as objects; Elasticsearch writes a list a column where it was asked for that."""
    if not all(isinstance(row, list) for row in rows):
        return None
    if any(len(row) != len(columns) for row in rows):
        if len(rows) != len(columns) or len({*map(len, rows)}) > 1:
            return None
        rows = [list(row) for row in zip(*rows, strict=True)]
    return [row for values in rows if (row := row_object(columns, values))]


def looks_like_frame(document: Document) -> bool:
    """Return whether an object begins like a data frame: an object under a number, or of them."""
    key, value = next(iter(document.items()), ("", None))
    return isinstance(value, dict) and (key.isdigit() or next(iter(value), "").isdigit())


def _of_frame(document: Document) -> tuple[list[Document], Document] | None:
    """Return the rows of a data frame, whose index is a number: column by column, or row by row."""
    if not looks_like_frame(document):
        return None
    columns = list(document.values())
    if not all(isinstance(column, dict) for column in columns):
        return None
    if all(key.isdigit() for key in document):
        return [dict(_present(row)) for row in columns], {}
    index = columns[0].keys()
    if not all(key.isdigit() for key in index) or any(each.keys() != index for each in columns):
        return None
    names = tuple(document)
    rows = ({name: document[name][key] for name in names} for key in index)
    return [dict(_present(row)) for row in rows], {}


def _present(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in row.items() if value is not None)


def _name(column: object) -> str:
    if isinstance(column, Mapping):
        column = next((column[key] for key in _NAMES if key in column), None)
    return column if isinstance(column, str) else ""
