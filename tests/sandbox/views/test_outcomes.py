from __future__ import annotations

import pytest

from receiver.sandbox.calls.errors import GraphFault
from receiver.sandbox.views.outcomes import check_fate


def fate(name: object) -> int | None:
    with pytest.raises(GraphFault) as raised:
        check_fate({"name": name})
    return raised.value.code


@pytest.mark.parametrize("name", ["ad", "", None, 5])
def test_what_is_not_named_to_fail_does_not(name: object) -> None:
    check_fate({"name": name})


def test_the_same_failing_name_fails_the_same_way() -> None:
    codes = [fate(f"FAIL {i}") for i in range(50)]
    assert codes == [fate(f"FAIL {i}") for i in range(50)]
    assert set(codes) >= {100, 1487390, 2}
