"""A log that is watched, and the baseline that the watch keeps."""

from pathlib import Path

import pytest


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "logs" / "app.ndjson"
    path.parent.mkdir()
    path.touch()
    return path


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "kept.db"
