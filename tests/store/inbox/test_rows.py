from __future__ import annotations

from collections.abc import Mapping

from receiver.store.inbox.rows import NewNotification, Token, write_by_token
from tests.support.rows import new_notification


class Table:
    """Takes so many rows of each token, and remembers each statement."""

    def __init__(self, *, rows_per_token: int) -> None:
        self._rows_per_token = rows_per_token
        self.inserted: list[list[Token]] = []
        self.counted: list[tuple[Token, int]] = []

    def insert(self, rows: Mapping[Token, NewNotification]) -> set[Token]:
        taken = [token for token in rows if self._has_room(token)]
        self.inserted.append(taken)
        return set(taken)

    def _has_room(self, token: Token) -> bool:
        return sum(token in one for one in self.inserted) < self._rows_per_token

    def count_repeats(self, token: Token, count: int) -> None:
        self.counted.append((token, count))


def written(*numbers: int, rows_per_token: int) -> Table:
    table = Table(rows_per_token=rows_per_token)
    write_by_token(
        [new_notification(number) for number in numbers],
        insert=table.insert,
        count_repeats=table.count_repeats,
    )
    return table


def test_rows_of_different_tokens_are_one_statement_in_the_order_in_which_they_came() -> None:
    table = written(3, 1, 2, rows_per_token=20)

    assert table.inserted == [[(3, 1), (1, 1), (2, 1)]]
    assert table.counted == []


def test_rows_of_one_token_are_a_statement_each_beside_those_of_others() -> None:
    table = written(1, 1, 2, 1, rows_per_token=20)

    assert table.inserted == [[(1, 1), (2, 1)], [(1, 1)], [(1, 1)]]


def test_a_token_that_is_sent_again_and_again_takes_one_statement_more_and_not_one_each() -> None:
    table = written(*[1] * 64, 2, rows_per_token=1)

    assert table.inserted == [[(1, 1), (2, 1)], []]
    assert table.counted == [((1, 1), 63)]


def test_no_rows_are_no_statement() -> None:
    assert written(rows_per_token=20).inserted == []
