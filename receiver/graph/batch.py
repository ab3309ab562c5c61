"""Plan a batch (pure): what goes to Facebook together, and what has to wait for what.

Facebook takes at most 50 operations in a call (its page, "Batch requests"), and asks for at most 10
ad creations. An operation may need the answer of earlier ones. Operations that are tied so go out
together where they fit; otherwise in waves: the answers of one are read before the next is sent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

MAX_OPERATIONS = 50
MAX_AD_CREATIONS = 10


@dataclass(frozen=True)
class Tie:
    """What the plan has to know of an operation.

    ``needs`` are the numbers of earlier operations whose answers it uses. ``can_ride`` tells that
    Facebook itself may fill in those answers, in one call with them; ``group`` is what the
    operations of one call have in common, as their credential.
    """

    needs: tuple[int, ...] = ()
    creates_ad: bool = False
    can_ride: bool = True
    group: Hashable = None


@dataclass(frozen=True)
class Wave:
    """Operations that need nothing but what the waves before have answered.

    ``tied`` are operations that go out in one call, with the ties between them; each of ``free``
    stands for itself, its references filled in.
    """

    tied: tuple[tuple[int, ...], ...]
    free: tuple[int, ...]


def needs_of(names: Sequence[str | None], *, needed: Sequence[Iterable[str]]) -> list[list[int]]:
    """Return for each operation the numbers of those that it needs, from their names.

    A name that stands twice means the latest operation before the one that needs it.
    """
    latest: dict[str, int] = {}
    numbers = []
    for number, (name, wanted) in enumerate(zip(names, needed, strict=True)):
        numbers.append(sorted({latest[each] for each in wanted}))
        if name is not None:
            latest[name] = number
    return numbers


def plan_waves(ties: Sequence[Tie]) -> list[Wave]:
    """Put each operation into one wave, after all that it needs or into one call with it."""
    components = _components(ties)
    riding = [each for each in components if len(each) > 1 and _fits(ties, each)]
    free = [each for each in components if len(each) == 1 or not _fits(ties, each)]
    depths = _depths(ties, [number for each in free for number in each])
    waves = defaultdict(list)
    for number, depth in depths.items():
        waves[depth].append(number)
    return [
        Wave(
            tied=tuple(map(tuple, riding)) if depth == 0 else (),
            free=tuple(sorted(waves.get(depth, ()))),
        )
        for depth in range(max(waves, default=0) + 1)
        if waves.get(depth) or (depth == 0 and riding)
    ]


def _components(ties: Sequence[Tie]) -> list[list[int]]:
    """Return the operations that hang together, each in the caller's order."""
    root = list(range(len(ties)))

    def find(number: int) -> int:
        while root[number] != number:
            root[number] = root[root[number]]
            number = root[number]
        return number

    for number, tie in enumerate(ties):
        for need in tie.needs:
            root[find(number)] = find(need)
    members = defaultdict(list)
    for number in range(len(ties)):
        members[find(number)].append(number)
    return list(members.values())


def _fits(ties: Sequence[Tie], component: Sequence[int]) -> bool:
    members = [ties[number] for number in component]
    return (
        all(each.can_ride for each in members)
        and len({each.group for each in members}) == 1
        and len(members) <= MAX_OPERATIONS
        and sum(each.creates_ad for each in members) <= MAX_AD_CREATIONS
    )


def _depths(ties: Sequence[Tie], numbers: Iterable[int]) -> Mapping[int, int]:
    """Return how many waves come before each operation: one more than before all that it needs."""
    depths: dict[int, int] = {}
    for number in sorted(numbers):
        depths[number] = max((depths[need] + 1 for need in ties[number].needs), default=0)
    return depths


def pack(units: Iterable[Sequence[int]], *, ties: Sequence[Tie]) -> list[list[int]]:
    """Pack units, which may not be torn apart, into as few calls as their order allows.

    The operations of a call share their group, and stand in the caller's order.
    """
    batches: dict[Hashable, list[list[int]]] = defaultdict(list)
    for unit in sorted(units, key=min):
        of_group = batches[ties[unit[0]].group]
        last = of_group[-1] if of_group else None
        if last is None or not _has_room(ties, [*last, *unit]):
            of_group.append(list(unit))
        else:
            last.extend(unit)
    return [sorted(batch) for of_group in batches.values() for batch in of_group]


def _has_room(ties: Sequence[Tie], numbers: Sequence[int]) -> bool:
    creations = sum(ties[number].creates_ad for number in numbers)
    return len(numbers) <= MAX_OPERATIONS and creations <= MAX_AD_CREATIONS
