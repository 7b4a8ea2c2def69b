"""What smbrare refuses to hold in memory, so that a hostile file cannot exhaust it."""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one input; what exceeds them is skipped and counted.

    Attributes:
        record_bytes: Length of a line or record, in bytes.
        nesting: Objects, arrays or XML elements inside one another in one record.
        csv_field: Length of one CSV field, in characters.
        xml_elements: Elements in one XML event.
        xml_attributes: Attributes of one XML element.
        layers: Compressions and archives inside one another; a ``.tar.gz`` is two.
        archive_members: Members of one archive, files and folders alike.
        archive_directory_bytes: Length of a zip's list of members, which is read at once.
        decompressed_bytes: Bytes that all layers and members of one input may give together.
        expansion: Bytes that one byte of the input may become on average, over all layers and
            members: the bound on a decompression bomb.
        expansion_free_bytes: Bytes that are given before ``expansion`` is asked: a short file of
            equal lines is no bomb.
        spool_bytes: Length of the temporary copy of an EVTX file or a zip that cannot be read
            from where it stands, because it came through a pipe or out of another layer.
    """

    record_bytes: int = 64 * MIB
    nesting: int = 200
    csv_field: int = 1 * MIB
    xml_elements: int = 100_000
    xml_attributes: int = 256
    layers: int = 4
    archive_members: int = 100_000
    archive_directory_bytes: int = 32 * MIB
    decompressed_bytes: int = 1024 * GIB
    expansion: int = 500
    expansion_free_bytes: int = 256 * MIB
    spool_bytes: int = 16 * GIB


DEFAULT = Limits()
