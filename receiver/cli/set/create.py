"""receiver set create: the ads of a file, as request sets at Facebook."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, NoReturn

import click
from rich.console import Console

from receiver.assembly import Parts
from receiver.cli.common import ACCOUNT, WrongUse, opened_parts, refuse_unknown_accounts
from receiver.cli.interruption import INTERRUPTED, Interrupted, Interruption, interruptible
from receiver.cli.set import rehearsal, report_views, sent_before
from receiver.cli.set.following import follow, view_for
from receiver.cli.set.sending import Report, refreshed, send_all, with_progress
from receiver.cli.set.source import STANDARD_INPUT, opened_source
from receiver.cli.set.splitting import Part, Split, Wanted, intents_of, prefix_of, split_file
from receiver.cli.spec_files import FORMATS, BadFile, Format, format_of
from receiver.graph.serve import BadParameter
from receiver.graph.vocabulary import MAX_ADS_PER_SET
from receiver.store import keys
from receiver.store.intents import NewIntent

_DEFAULT_SIZE = 500
_LONGEST_PREFIX = 200
_AGAIN_BYTES = 12
_FINISHING = "The set under way is brought to its end; Ctrl-C again ends at once."


@dataclass(frozen=True)
class _Options:
    """What the command was called with."""

    file: str
    account_id: int
    size: int
    name: str | None
    file_format: Format | None
    key_column: str | None
    notification_uri: str | None
    key_name: str | None
    idempotency_prefix: str | None
    again: bool
    dry_run: bool
    wait: bool
    as_json: bool


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--account", "account_id", type=ACCOUNT, required=True, help="The ad account.")
@click.option(
    "--size",
    type=click.IntRange(1, MAX_ADS_PER_SET),
    default=_DEFAULT_SIZE,
    show_default=True,
    help="How many ads a set has at most.",
)
@click.option("--name", help="What the sets are called, before 1/20. The file's name by itself.")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(FORMATS),
    help="What the file is, whatever its name ends with.",
)
@click.option(
    "--key-column",
    help="The field with your own key of each row. row_key by itself, if there is one.",
)
@click.option("--notification-uri", help="Where the receiver tells you that results are in.")
@click.option(
    "--key",
    "key_name",
    help="The key whose webhook secret signs what you are told, by its name.",
)
@click.option(
    "--idempotency-prefix",
    help="What the sets' idempotency keys begin with. Made of the file's rows by itself.",
)
@click.option("--again", is_flag=True, help="Send a file once more that was sent before.")
@click.option("--dry-run", is_flag=True, help="Check the file and show its sets; send nothing.")
@click.option("--wait", is_flag=True, help="Wait until every set is collected.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def create(file: str, **options: Any) -> None:
    """Create the ads of FILE (NDJSON or CSV; - is standard input) as request sets at Facebook.

    The whole file is checked before anything is sent. Run again after Ctrl-C or a crash, the same
    command goes on: the sets that were made are joined, never made twice.
    """
    given = _Options(file, **options)
    if given.again and given.idempotency_prefix is not None:
        raise click.UsageError("--again and --idempotency-prefix exclude each other.")
    if len(given.idempotency_prefix or "") > _LONGEST_PREFIX:
        raise click.UsageError(f"--idempotency-prefix has at most {_LONGEST_PREFIX} characters.")
    file_format = given.file_format or format_of(file)
    if file_format is None:
        raise click.UsageError("Say with --format what the file is: its name does not tell.")
    with opened_parts(check_secrets=True) as parts, _wrong_files_in_words():
        wanted = _wanted(parts, given, file_format)
        with opened_source(file) as stream:
            _check_and_send(parts, given=given, wanted=wanted, stream=stream)


@contextmanager
def _wrong_files_in_words() -> Iterator[None]:
    """End the command with 2 for what is wrong with a file, and with 130 for Ctrl-C."""
    try:
        yield
    except BadFile as error:
        raise WrongUse(f"{error}\nNothing was sent.") from error
    except BadParameter as error:
        raise WrongUse(f"{error.message} Nothing was sent.") from error
    except (Interrupted, KeyboardInterrupt):
        click.echo(f"Interrupted. {report_views.GO_ON.format(how='the same command')}", err=True)
        sys.exit(INTERRUPTED)


def _wanted(parts: Parts, given: _Options, file_format: Format) -> Wanted:
    refuse_unknown_accounts(parts, [given.account_id])
    with parts.database.reading() as session:
        key_id = keys.find_key_id(session, given.key_name) if given.key_name else None
    if given.key_name and key_id is None:
        raise WrongUse(f"There is no key named {given.key_name!r}: see 'receiver key list'.")
    stem = "Standard input" if given.file == STANDARD_INPUT else Path(given.file).stem
    return Wanted(
        account_id=given.account_id,
        api_key_id=key_id,
        name=stem if given.name is None else given.name,
        size=given.size,
        file_format=file_format,
        key_column=given.key_column,
        notification_uri=given.notification_uri,
        body_limit_bytes=parts.settings.request_body_limit_bytes,
    )


def _check_and_send(
    parts: Parts, *, given: _Options, wanted: Wanted, stream: IO[bytes]
) -> NoReturn:
    console = Console(stderr=True)
    with console.status("Checking the file") as status:
        split = split_file(
            stream, wanted, on_rows=lambda ads: status.update(f"Checking the file: {ads:,} ads")
        )
    prefix = _prefix(given, wanted, split)

    def asked() -> Iterator[tuple[Part, NewIntent]]:
        stream.seek(0)
        return intents_of(stream, wanted, split, prefix=prefix)

    sent_before.refuse_other_sets(parts.database, asked=asked(), wanted=wanted, prefix=prefix)
    if given.dry_run:
        rehearsed = rehearsal.rehearse(parts, asked=asked(), wanted=wanted, split=split)
        rehearsal.show(rehearsed, as_json=given.as_json)
        sys.exit(0)
    if given.again:
        # A command that is killed says nothing at its end.
        go_on = report_views.INSTEAD_OF_AGAIN.format(prefix=prefix)
        click.echo(f"Should this be broken off, go on with {go_on}.", err=True)
    report = Report()
    with interruptible(message=_FINISHING) as interruption:
        view = report_views.view_for(console, split)
        with view.showing():
            report = send_all(parts.tools, asked(), split, view=view, interruption=interruption)
        report = refreshed(parts.tools, report)
        if given.wait and not report.is_interrupted:
            report = _wait(parts, report, console, interruption=interruption)
    _conclude(given, wanted, report, prefix=prefix)


def _prefix(given: _Options, wanted: Wanted, split: Split) -> str:
    if given.again:
        return f"again-{secrets.token_hex(_AGAIN_BYTES)}"
    return given.idempotency_prefix or prefix_of(split, wanted)


def _wait(parts: Parts, report: Report, console: Console, *, interruption: Interruption) -> Report:
    try:
        rows = follow(
            parts.database, report.numbers, view=view_for(console), interruption=interruption
        )
    except (Interrupted, KeyboardInterrupt):
        return replace(refreshed(parts.tools, report), is_interrupted=True)
    return with_progress(report, rows)


def _conclude(given: _Options, wanted: Wanted, report: Report, *, prefix: str) -> NoReturn:
    if given.as_json:
        document = report_views.as_json(report, wanted, prefix=prefix)
        click.echo(json.dumps(document, indent=2))
    else:
        report_views.print_report(Console(), report, wanted, with_counts=given.wait)
    for sentence in report_views.advice(report, prefix=prefix if given.again else None):
        click.echo(sentence, err=True)
    sys.exit(report_views.exit_code(report, with_counts=given.wait))
