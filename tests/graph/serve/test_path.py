from __future__ import annotations

import pytest

from receiver.graph.serve import split_path


@pytest.mark.parametrize(
    ("path", "version", "segments"),
    [
        ("/v21.0/act_1/ads", "v21.0", ["act_1", "ads"]),
        ("//v26.0//act_1/ads/", "v26.0", ["act_1", "ads"]),
        ("act_1", None, ["act_1"]),
        ("/v21.0", "v21.0", []),
        ("/", None, []),
        ("/21.0/1", None, ["21.0", "1"]),
        ("/1/v21.0", None, ["1", "v21.0"]),
    ],
)
def test_a_path_is_a_version_and_segments(
    path: str, version: str | None, segments: list[str]
) -> None:
    assert split_path(path) == (version, segments)
