"""receiver set list: sets that meet some filters, newest first."""

from __future__ import annotations

from functools import partial
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from receiver.cli import filters
from receiver.cli.common import opened_parts, refuse_unknown_accounts
from receiver.cli.set.words import counts_in_words, counts_of
from receiver.store.lists import request_sets
from receiver.web.admin import documents, list_pages
from receiver.web.admin.cursors import BadCursor
from receiver.web.admin.documents import RequestSet, RequestSetPage
from receiver.web.admin.parameters import SetsQuery


@click.command(name="list")
@filters.set_filters
@filters.set_numbers
@click.option("--sort", help="-created_at (as it is), created_at, -completed_at, completed_at.")
@click.option("--limit", type=int, help="How many at the most: 50, at most 500.")
@click.option("--cursor", help="Where the page before ended.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as the admin API answers.")
def list_(*, as_json: bool, **given: Any) -> None:
    """List request sets, newest first: those that meet all filters."""
    query = filters.read(SetsQuery, given)
    page = _read(query)
    if as_json:
        click.echo(page.model_dump_json(indent=2))
    else:
        _print(Console(), page)


def _read(query: SetsQuery) -> RequestSetPage:
    with opened_parts() as parts:
        refuse_unknown_accounts(parts, query.account)
        listing = request_sets.listing(
            filters.of_sets(parts, query), sort=query.sorted_by, is_descending=query.is_descending
        )
        shape = partial(documents.set_row, now=parts.now())
        try:
            return list_pages.read(
                parts.database, listing, query, document=RequestSetPage, shape=shape
            )
        except BadCursor as error:
            raise click.UsageError(f"--cursor: {error}") from error


def _print(console: Console, page: RequestSetPage) -> None:
    if page.data:
        console.print(_table(page.data))
    else:
        console.print("No set meets these filters.", highlight=False)
    if page.next_cursor:
        more = "Looked through a part of them" if page.is_partial else "There are more"
        console.print(
            f"{more}: go on with --cursor {page.next_cursor}", highlight=False, soft_wrap=True
        )


def _table(rows: list[RequestSet]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for heading in ("set", "name", "account", "state", "requests", "notification", "made (UTC)"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        late = " (missing)" if row.is_missing else " (late)" if row.is_late else ""
        table.add_row(
            row.id,
            Text(row.name),
            f"act_{row.account_id}",
            f"{row.state}{late}",
            counts_in_words(counts_of(vars(row))),
            row.verdict,
            f"{row.created_at:%Y-%m-%d %H:%M:%S}",
        )
    return table
