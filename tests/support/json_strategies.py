"""Any JSON value, for tests that draw one."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

TEXT = st.text()
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
"""What Python reads and writes as JSON: NaN, infinities and integers of any size among it."""

STANDARD_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
"""What every parser reads alike, and orjson writes."""


def json_values(
    scalars: st.SearchStrategy[Any] = SCALARS,
    *,
    keys: st.SearchStrategy[str] = TEXT,
    max_size: int = 3,
) -> st.SearchStrategy[Any]:
    """Return a strategy for scalars, and for lists and objects of up to ``max_size`` values."""
    return st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=max_size) | st.dictionaries(keys, inner, max_size=max_size)
        ),
        max_leaves=10,
    )
