"""What was made of a file before, under the keys of its sets: known before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable

from receiver.cli.common import WrongUse
from receiver.cli.set.splitting import Part, Wanted
from receiver.graph.vocabulary import AD_SETS_EDGE
from receiver.store import twins
from receiver.store.database import Database
from receiver.store.intents import NewIntent


def refuse_other_sets(
    database: Database, *, asked: Iterable[tuple[Part, NewIntent]], wanted: Wanted, prefix: str
) -> None:
    """Raise WrongUse where the keys of a prefix name sets that are not those of a file.

    ``asked`` is read only where there are such sets. Raises BadFile as it does, and DatabaseAway.
    """
    with database.reading() as session:
        made = twins.numbered_keys(session, wanted.account_id, edge=AD_SETS_EDGE, prefix=prefix)
    if not made:
        return
    for _, intent in asked:
        earlier = made.pop(intent.idempotency_key or "", None)
        if earlier is not None and earlier.parameters_hash != intent.parameters_hash:
            raise WrongUse(f"{in_words(earlier.request_set_id)} Nothing was sent.")
    # Sets beyond the last of these were made in another division: their ads are among these too.
    for other in made.values():
        raise WrongUse(f"{in_words(other.request_set_id)} Nothing was sent.")


def in_words(request_set_id: int) -> str:
    """Say of which set a file has the keys without asking for the same, and what to do."""
    return (
        f"Set {request_set_id} was made of this file with other options: another --size, --name, "
        "--notification-uri or --key-column; or --idempotency-prefix is that of another file. "
        "Take the same options again to go on. --again sends the whole file once more on purpose: "
        "ads that were made of it are then made twice."
    )
