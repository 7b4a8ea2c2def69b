"""Temporary."""

from collections.abc import Iterator

from smbrare.event import Document


def events(document: Document) -> Iterator[Document]:
    yield document.get("_source", document)
