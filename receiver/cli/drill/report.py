"""What a drill prints: how much trouble there was, and what is left of the promises."""

from __future__ import annotations

from collections import Counter

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from receiver.cli.drill.audit import Audit
from receiver.cli.drill.stage import TROUBLES
from receiver.cli.drill.violence import BLOWS

_RARE = "throttle"
_SHOWN_MOST = 20


def unmet_floors(met: Counter[str], done: Counter[str] | None, *, minutes: float) -> list[str]:
    """Name what there was too little of: a quiet drill proves nothing.

    Of each trouble and of each blow at least one a minute, and one at the least.
    """
    unmet = []
    for name in sorted(_kinds()):
        floor = 1 if name.endswith(_RARE) else max(1, int(minutes))
        if met[name] < floor:
            unmet.append(f"{name}: {met[name]} of at least {floor}")
    for name in BLOWS if done is not None else ():
        count, floor = (done or Counter())[name], max(1, int(minutes))
        if count < floor:
            unmet.append(f"{name}: {count} of at least {floor}")
    return unmet


def _kinds() -> set[str]:
    return {
        f"{'create' if rule['method'] == 'POST' else 'read'} {rule['kind']}" for rule in TROUBLES
    }


def print_counts(console: Console, met: Counter[str], done: Counter[str], *, creates: int) -> None:
    """Print how many of each trouble and of each blow there were."""
    table = Table("trouble", "times", box=SIMPLE_HEAD)
    for name, count in sorted((met + done).items()):
        table.add_row(name, str(count))
    console.print(table)
    console.print(f"{creates} creates")


def print_audit(console: Console, found: Audit) -> None:
    """Print what was compared, what is wrong, and the numbers on the last line."""
    for finding in [*found.lost, *found.missing, *found.doubled, *found.stuck][:_SHOWN_MOST]:
        console.print(f"  {finding}", style="red")
    console.print(
        f"compared {found.sets} sets, {found.requests} requests, "
        f"{found.notifications} notifications that were answered 2xx"
    )
    console.print(f"stuck {len(found.stuck)}")
    console.print(
        f"lost {len(found.lost)}  missing {len(found.missing)}  doubled {len(found.doubled)}",
        style="bold",
    )
