"""Files that make Windows connect to a server when somebody opens or only sees them.

Explorer and Office follow the UNC path that such a file names, or that one inside of it does.
"""

import re

from smbrare.records.fields import keyword

EXTENSIONS = (
    *("library-ms", "url", "lnk", "scf", "searchconnector-ms", "search-ms", "theme", "themepack"),
    *("rdp", "application", "docx", "xlsx", "rtf", "msg", "pdf", "zip"),
)
"""How the names of such files end, but for that of desktop.ini."""

_LURES = re.compile(rf"(.*\.({'|'.join(EXTENSIONS)})|desktop\.ini)", re.IGNORECASE)
_STREAM = re.compile(r":Zone\.Identifier(?::\$DATA)?\Z", re.IGNORECASE)
_URL = re.compile(r"\b(HostUrl|ReferrerUrl)=(https?://\S+|file:\S+|\\\\\S+)", re.IGNORECASE)


def lure_of(path: object) -> str | None:
    """Return the path of a file that may be a lure, without the stream that marks it; else None."""
    text = _STREAM.sub("", keyword(path))
    return text if _LURES.fullmatch(re.split(r"[\\/]", text)[-1]) else None


def source_url(zone_identifier: object) -> str | None:
    """Return where a file came from, by its Zone.Identifier: its own URL, or the page's."""
    urls = {name.lower(): url for name, url in _URL.findall(keyword(zone_identifier))}
    return urls.get("hosturl") or urls.get("referrerurl")
