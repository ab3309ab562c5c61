"""receiver db: the database's tables."""

from __future__ import annotations

import click

from receiver.cli.common import opened_parts
from receiver.store import migrate


@click.group()
def db() -> None:
    """Look after the database's tables."""


@db.command()
def upgrade() -> None:
    """Bring the tables to this version. Safe when several start at once."""
    with opened_parts(check_tables=False) as parts:
        revision = migrate.upgrade(parts.database)
    click.echo(f"The database's tables are at revision {revision}.")
