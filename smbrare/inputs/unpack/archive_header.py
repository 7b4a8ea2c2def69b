"""Which kind of archive a stream is, by its first bytes."""

import re

ZIP = "zip"
TAR = "tar"

_ZIP = re.compile(rb"PK(?:\x03\x04|\x05\x06|\x07\x08|00PK)")
_TAR_BYTES = 512
_TAR_MARK_AT = 257
_TAR_MARK = re.compile(rb"ustar(\0|  \0)?")
_TAR_CHECKSUM = slice(148, 156)
_OCTAL = re.compile(rb"[0-7]+")


def recognize(head: bytes) -> str:
    """Return the kind of archive, `ZIP` or `TAR`, that a stream's first bytes show, empty for none.

    A line of a log may spell all of a tar's header that can be read, its checksum too; but then no
    zero byte is in it.
    """
    if _ZIP.match(head):
        return ZIP
    header = head[:_TAR_BYTES]
    mark = _TAR_MARK.match(header, _TAR_MARK_AT)
    if mark is None:
        return ""
    return TAR if mark[1] or (b"\0" in header and _has_its_checksum(header)) else ""


def _has_its_checksum(header: bytes) -> bool:
    digits = header[_TAR_CHECKSUM].strip(b" \0")
    blank = b" " * len(header[_TAR_CHECKSUM])
    total = sum(header[: _TAR_CHECKSUM.start] + blank + header[_TAR_CHECKSUM.stop :])
    return _OCTAL.fullmatch(digits) is not None and int(digits, 8) == total
