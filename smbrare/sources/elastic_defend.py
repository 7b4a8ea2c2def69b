"""Elastic Defend: ECS as the endpoint writes it, in the form of 8.x and in the old one.

The old form has no host.os.type, only host.os.platform.
"""

from smbrare.records.event import Document
from smbrare.sources import ecs
from smbrare.sources.mapping import Layout


def recognize_mapped(document: Document, dataset: str) -> Layout | None:
    """Return the layout of a document that Elastic Defend wrote."""
    if dataset.startswith("endpoint"):
        marks = ecs.BY_DATASET
    elif "endpoint" in ecs.shippers(document):
        marks = ecs.BY_SHIPPER
    else:
        return None
    return Layout("elastic_defend", "Elastic Defend document", ecs.TABLE, marks)
