"""receiver db: the database's tables."""

from __future__ import annotations

from contextlib import suppress

import click

from receiver.cli.common import opened_parts
from receiver.lifecycle import partitioning
from receiver.store import migrate
from receiver.store.partitions import NotOwner, TableBusy


@click.group()
def db() -> None:
    """Look after the database's tables."""


@db.command()
def upgrade() -> None:
    """Bring the tables to this version. Safe when several start at once."""
    with opened_parts(check_tables=False) as parts:
        try:
            revision = migrate.upgrade(parts.database)
        except TableBusy as busy:
            raise click.ClickException(f"{busy} Run it again when they are done.") from busy
        except NotOwner as error:
            raise click.ClickException(f"{error} Run it as the owner of the tables.") from error
        with suppress(TableBusy, NotOwner):  # a worker makes them as well, and says so if not
            partitioning.make_ahead(parts.database, now=parts.now())
    click.echo(f"The database's tables are at revision {revision}.")
