"""What programs print around JSON: the headers of an HTTP answer, comments between answers.

It becomes blanks, which no JSON minds, so that offsets and lines stay those of the input.
"""

import re
from collections.abc import Iterator

from smbrare.inputs.unpack.streams import Stream, blocks

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_DEV_TOOLS = re.compile(rb"\s*# (?:GET|POST|PUT|HEAD) [^\n]*\n")
"""How the answers of several requests begin in Kibana's Dev Tools."""
_COMMENTS = re.compile(rb"(?m)^ *#!? [^\n]*")


def recognize(head: bytes) -> str:
    """Return the name of what stands around a text, by its first bytes; empty for nothing."""
    if _headers(head):
        return "http"
    return "console" if _DEV_TOOLS.match(head) else ""


def without_frame(stream: Stream) -> Iterator[bytes]:
    """Yield a text with blanks for what `recognize` found around it."""
    if headers := _headers(stream.head):
        yield _blank(stream.read(headers))
        yield from blocks(stream)
        return
    rest = b""
    for block in blocks(stream):
        text = rest + block
        past = text.rfind(b"\n") + 1
        rest = text[past:]
        yield _COMMENTS.sub(lambda comment: _blank(comment[0]), text[:past])
    yield _COMMENTS.sub(lambda comment: _blank(comment[0]), rest)


def _headers(head: bytes) -> int:
    """Return the length of the headers that ``curl -i`` prints, those of redirects too."""
    at = end = len(head) - len(head.lstrip())
    while head.startswith(b"HTTP/", at) and (blank := _BLANK_LINE.search(head, at)):
        at = end = blank.end()
    return end if head[:end].strip() else 0


def _blank(text: bytes) -> bytes:
    return re.sub(rb"[^\r\n]", b" ", text)
