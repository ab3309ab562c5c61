from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from receiver.sandbox.views.pages import Page, take_page


def is_even(member: int) -> bool:
    return member % 2 == 0


@given(
    size=st.integers(0, 40),
    limit=st.integers(1, 10),
    newest_first=st.booleans(),
    even=st.booleans(),
)
def test_pages_forth_and_back_hold_every_member_once(
    *, size: int, limit: int, newest_first: bool, even: bool
) -> None:
    members = list(range(1, size + 1))

    def page(after: int | None = None, before: int | None = None) -> Page[int]:
        return take_page(
            members,
            limit=limit,
            after=after,
            before=before,
            newest_first=newest_first,
            keep=is_even if even else lambda _: True,
        )

    expected = [member for member in members if is_even(member) or not even]
    expected = expected[::-1] if newest_first else expected
    pages = [page()]
    while pages[-1].has_next:
        pages.append(page(after=pages[-1].last))
    assert [member for each in pages for member in each.members] == expected

    back = [pages[-1]]
    while back[-1].has_previous:
        back.append(page(before=back[-1].first))
    assert [member for each in reversed(back) for member in each.members] == expected


def test_a_member_that_comes_between_two_pages_shifts_nothing() -> None:
    members = [1, 2, 3, 4]
    first = take_page(members, limit=2, newest_first=True)
    members.append(5)
    assert first.members == [4, 3]
    assert take_page(members, limit=2, newest_first=True, after=first.last).members == [2, 1]


def test_a_cursor_from_elsewhere_gives_an_empty_page() -> None:
    assert take_page([1, 2], limit=5, after=99).members == []
    assert take_page([1, 2], limit=5, before=99).members == [1, 2]
