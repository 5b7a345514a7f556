"""Bulk work in short transactions: their size follows the time they take, by a clock of ours."""

from typing import Any

import pytest

from corpid.services.bulk import MOST, ShortTurns

BOUND_SECONDS = 0.02


class Slow:
    """A store in which each row, and each commit, takes so many seconds of ``now``."""

    def __init__(self, row: float, commit: float = 0.001) -> None:
        self.now = 0.0
        self.row = row
        self.commit = commit
        self.took: list[tuple[int, float]] = []

    has_one_writer = False  # PostgreSQL: nobody pauses

    def elapsed(self) -> float:
        return self.now

    async def write(self, work: Any) -> Any:
        done = await work(self)
        self.now += self.commit
        return done

    async def go(self, turns: ShortTurns, rounds: int) -> None:
        for _ in range(rounds):
            rows, began = turns.size, self.now

            async def work(_: Any, rows: int = rows) -> None:
                self.now += rows * self.row

            await turns.write(work, rows)
            self.took.append((rows, self.now - began))


@pytest.mark.parametrize("row", [0.0001, 0.001, 0.004, 0.006, 0.015])
async def test_no_transaction_takes_longer_than_it_may(row: float) -> None:
    slow = Slow(row)
    await slow.go(ShortTurns(slow, 0.0, slow.elapsed), 60)
    assert all(seconds <= BOUND_SECONDS for _, seconds in slow.took)


async def test_where_one_row_takes_longer_there_is_one_in_each() -> None:
    slow = Slow(0.05)
    await slow.go(ShortTurns(slow, 0.0, slow.elapsed), 5)
    assert {rows for rows, _ in slow.took} == {1}


async def test_the_size_comes_down_at_once_and_goes_up_again() -> None:
    slow = Slow(0.00001)
    turns = ShortTurns(slow, 0.0, slow.elapsed)
    await slow.go(turns, 40)
    assert turns.size == MOST
    slow.row = 0.01
    await slow.go(turns, 8)
    assert turns.size == 1
    slow.row = 0.00001
    await slow.go(turns, 40)
    assert turns.size == MOST
