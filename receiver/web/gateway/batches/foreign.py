"""Send some of a batch's operations to Facebook in one call, and say what became of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

import structlog

from receiver.crypto import CannotOpen
from receiver.graph.batch_call import SentOperation, UnreadableBatch, read_batch, write_batch
from receiver.graph.errors import CallFailed, GraphError, NotSent, outcome_is_unknown
from receiver.graph.passing import Attachment, PassedAnswer, PassedCall
from receiver.graph.serve import OperationAnswer
from receiver.store.database import DatabaseAway
from receiver.store.keys import Caller
from receiver.web.gateway import faults, limits, outgoing
from receiver.web.gateway.answer import Answer
from receiver.web.gateway.batches import entries
from receiver.web.gateway.call import GraphCall
from receiver.web.gateway.faults import Fault
from receiver.web.gateway.pass_through import SENT_HEADERS, facebooks_answer

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ForeignOperation:
    """An operation for Facebook, and whom it is sent for.

    ``name`` and ``depends_on`` are its ties with others of the same call; ``needs`` the numbers of
    those others.
    """

    number: int
    call: GraphCall
    holder: Caller
    account_id: int | None
    attached_files: tuple[str, ...] = ()
    name: str | None = None
    depends_on: tuple[str, ...] = ()
    needs: tuple[int, ...] = ()

    @property
    def is_read(self) -> bool:
        return self.call.method == "GET"


@dataclass(frozen=True)
class Sent:
    """What became of the operations of one call, by their numbers.

    ``refusal`` is Facebook's answer where it refused the call as a whole.
    """

    answers: Mapping[int, OperationAnswer | None]
    refusal: Answer | None = None


def send(
    batch: GraphCall, operations: Sequence[ForeignOperation], *, files: Mapping[str, bytes]
) -> Sent:
    """Send operations of one holder and account in one call, once. It raises nothing.

    A write whose outcome is not known is answered by an error that no client repeats, a read by
    null, as Facebook does.
    """
    first = operations[0]
    try:
        limits.check(first.account_id, first.holder)
        answer = outgoing.send(
            _passed(batch, operations, files),
            first.holder,
            account_id=first.account_id,
            key=batch.key if batch.is_key_in_query else None,
        )
    except (Fault, faults.Refused, DatabaseAway, CannotOpen) as refusal:
        # Each of them comes before the call.
        return _all(operations, entries.refused(refusal))
    except NotSent as failure:
        away = faults.service_away(f"Facebook could not be reached: {failure}")
        return _all(operations, entries.refused(away))
    except CallFailed as failure:
        return _unknown(operations, str(failure))
    except Exception:
        # Nobody foresaw this, so nobody knows whether Facebook was asked.
        log.exception("A batch failed")
        return _unknown(operations, "an unforeseen error")
    return _read(operations, answer)


def _passed(
    batch: GraphCall, operations: Sequence[ForeignOperation], files: Mapping[str, bytes]
) -> PassedCall:
    named = {name for each in operations for name in each.attached_files}
    return PassedCall(
        method="POST",
        path=f"{batch.version}/" if batch.version else "",
        form=(("batch", write_batch([_sent(each) for each in operations])),),
        files={
            name: Attachment(each.filename, each.content_type, BytesIO(files[name]))
            for name, each in batch.body.files.items()
            if name in named
        },
    )


def _sent(operation: ForeignOperation) -> SentOperation:
    call = operation.call
    return SentOperation(
        method=call.sent_method,
        path="/".join((*([call.version] if call.version else []), call.path)),
        query=call.query,
        form=call.body.form,
        headers={name: call.headers[name] for name in call.headers if name in SENT_HEADERS},
        attached_files=operation.attached_files,
        name=operation.name,
        depends_on=operation.depends_on,
    )


def _read(operations: Sequence[ForeignOperation], answer: PassedAnswer) -> Sent:
    error = limits.error_in(answer.http_status, answer.headers, answer.body, usage=answer.usage)
    if error is not None:
        return _refused(operations, answer, error)
    try:
        read = read_batch(answer.body, count=len(operations))
    except UnreadableBatch as problem:
        return _unknown(operations, str(problem))
    answers: dict[int, OperationAnswer | None] = {}
    for operation, entry in zip(operations, read, strict=True):
        answers[operation.number] = _judge(operation, entry, answers)
        _note_limits(operation, entry)
    return Sent(answers)


def _judge(
    operation: ForeignOperation,
    entry: OperationAnswer | None,
    before: Mapping[int, OperationAnswer | None],
) -> OperationAnswer | None:
    """Say what an entry means: an open outcome of a write is an error, of which no one is null.

    One that needs what failed was not done, whatever Facebook says of it.
    """
    if operation.is_read or not entries.is_aborted(entry):
        return entry
    parents = [before[need] for need in operation.needs]
    if any(parent is None or not parent.is_success for parent in parents):
        return entry
    return entries.outcome_unknown("Facebook did not finish it, or does not say so")


def _note_limits(operation: ForeignOperation, entry: OperationAnswer | None) -> None:
    """Keep the wait that an operation's own refusal asks for."""
    if entry is None or entry.is_success:
        return
    # What is kept is shown to holders of other keys too.
    body = (entry.body or "").replace(operation.call.key, "(hidden)").encode("utf-8", "replace")
    outgoing.note(
        PassedAnswer(entry.code, dict(entry.headers), body),
        operation.holder,
        account_id=operation.account_id,
    )


def _refused(
    operations: Sequence[ForeignOperation], answer: PassedAnswer, error: GraphError
) -> Sent:
    """Facebook refused the call as a whole: each operation is answered so."""
    if outcome_is_unknown(error) and error.type != "GraphBatchException":
        return _unknown(operations, str(error))
    refusal = facebooks_answer(answer)
    entry = entries.entry_of(refusal)
    return Sent({each.number: entry for each in operations}, refusal=refusal)


def _unknown(operations: Collection[ForeignOperation], reason: str) -> Sent:
    entry = entries.outcome_unknown(reason)
    return Sent({each.number: None if each.is_read else entry for each in operations})


def _all(operations: Collection[ForeignOperation], entry: OperationAnswer) -> Sent:
    return Sent({each.number: entry for each in operations})
