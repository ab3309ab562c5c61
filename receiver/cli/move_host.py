"""receiver move-host: tell Facebook where we are now, for every set that is pending."""

from __future__ import annotations

import click

from receiver.cli import filters
from receiver.cli.acting import plan_and_do
from receiver.cli.common import ACCOUNT
from receiver.web.admin.parameters import SetFilters


@click.command(name="move-host")
@click.option("--account", type=ACCOUNT, multiple=True, help="Only this ad account's sets.")
@click.option("--yes", "is_confirmed", is_flag=True, help="Do it without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON about how it ended.")
def move_host(*, account: tuple[int, ...], is_confirmed: bool, as_json: bool) -> None:
    """Tell Facebook the present RECEIVER_PUBLIC_URL as the notification_uri of every pending set.

    Run it after the public URL or the signing key changed, while the old ones still work. It may
    be run again. Ends with 1 if a set was refused.
    """
    query = filters.read(SetFilters, {"account": account, "state": "open,completed"})
    plan_and_do("repoint", query, is_confirmed=is_confirmed, as_json=as_json)
