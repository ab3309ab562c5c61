"""Carry out a batch: wave by wave, what is tied together in one call, the rest side by side."""

from __future__ import annotations

import contextvars
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from receiver.graph import serve
from receiver.graph.batch import Tie, Wave, needs_of, pack, plan_waves
from receiver.graph.references import UnresolvedReference, find_references
from receiver.graph.serve import (
    BadOperation,
    BadParameter,
    Entry,
    Operation,
    OperationAnswer,
    ReadyOperation,
)
from receiver.store.keys import Caller
from receiver.web.context import batch_gates, parts
from receiver.web.gateway import access, dispatch
from receiver.web.gateway.batches import entries, foreign
from receiver.web.gateway.batches.foreign import ForeignOperation, Sent
from receiver.web.gateway.call import GraphCall, operation_call
from receiver.web.gateway.learning import Owner
from receiver.web.gateway.tokens import refuse_tokens

_ADDRESSES = ("id", "ids")


@dataclass(frozen=True)
class Prepared:
    """An operation that its key may make: the call that it stands for, and for whom."""

    call: GraphCall
    holder: Caller
    account_id: int | None
    is_own: bool


class BatchRun:
    """One batch under way.

    ``answers`` has an entry for each operation that came to an end; ``sent`` are the calls it took.
    """

    def __init__(self, call: GraphCall, holder: Caller, operations: Sequence[Entry]) -> None:
        self._call = call
        self._holder = holder
        self._operations = operations
        self._needs = needs_of(
            [each.name for each in operations], needed=[each.needs for each in operations]
        )
        self._owners: defaultdict[int, dict[str, Owner]] = defaultdict(dict)
        self._prepared: dict[int, Prepared] = {}
        self._files = {name: each.stream.read() for name, each in call.body.files.items()}
        self.answers: dict[int, OperationAnswer | None] = {}
        self.sent: list[Sent] = []

    def carry_out(self) -> None:
        """Do every operation once, or find out that it cannot be done."""
        self._learn_owners([each for each in self._operations if isinstance(each, Operation)])
        ties = [self._tie(number) for number in range(len(self._operations))]
        for wave in plan_waves(ties):
            self._do(wave, ties)

    def _tie(self, number: int) -> Tie:
        """Say what the plan has to know of an operation, before anything is filled in."""
        operation = self._operations[number]
        needs = tuple(self._needs[number])
        if isinstance(operation, BadOperation):
            return Tie(needs, can_ride=False, group=number)
        # A path that a reference leads to is looked at when it is known.
        if _addresses_by_reference(operation):
            return Tie(needs, creates_ad=_creates_ad(operation), can_ride=False, group=number)
        prepared = self._prepare(number, _as_written(operation))
        if prepared is None:
            return Tie(needs, can_ride=False, group=number)
        self._prepared[number] = prepared
        return Tie(
            needs,
            creates_ad=_creates_ad(operation),
            can_ride=not prepared.is_own,
            group=(prepared.holder.key_id, prepared.account_id),
        )

    def _prepare(self, number: int, operation: ReadyOperation) -> Prepared | None:
        """Check what an operation asks for; one that its key may not do is answered so."""
        try:
            call = operation_call(self._call, operation)
            holder = self._holder_of(call)
            refuse_tokens(call)
            if dispatch.is_own(call, holder):
                return Prepared(call, holder, account_id=None, is_own=True)
            self._know_owners([call], holder)
            account_id = access.check(call, holder, self._owners[holder.credential_id])
        except Exception as error:  # noqa: BLE001  # whatever ends one operation ends no other
            self.answers[number] = entries.refused(error)
            return None
        return Prepared(call, holder, account_id=account_id, is_own=False)

    def _holder_of(self, call: GraphCall) -> Caller:
        return access.holder(call) if call.key != self._call.key else access.may(self._holder, call)

    def _learn_owners(self, operations: Sequence[Operation]) -> None:
        """Learn the accounts of all that is addressed in few reads, not in one for each."""
        calls = []
        for operation in operations:
            if not _addresses_by_reference(operation):
                try:
                    call = operation_call(self._call, _as_written(operation))
                except BadParameter:
                    continue
                if call.key == self._call.key:
                    calls.append(call)
        self._know_owners(calls, self._holder)

    def _know_owners(self, calls: Sequence[GraphCall], holder: Caller) -> None:
        owners = self._owners[holder.credential_id]
        nodes = {node for call in calls for node in access.nodes_of(call)} - owners.keys()
        if nodes:
            owners |= access.known_accounts(nodes, holder)

    def _do(self, wave: Wave, ties: Sequence[Tie]) -> None:
        ready = [number for number in wave.free if self._make_ready(number)]
        own = [number for number in ready if self._prepared[number].is_own]
        ties = [self._regrouped(number, tie) for number, tie in enumerate(ties)]
        units = [*wave.tied, *((number,) for number in ready if number not in own)]
        riding = {number for unit in wave.tied for number in unit}
        jobs: list[Callable[[], object]] = [
            partial(self._send, batch, riding) for batch in pack(units, ties=ties)
        ]
        if own:
            jobs.append(partial(self._answer_own, own))
        _side_by_side(jobs)

    def _regrouped(self, number: int, tie: Tie) -> Tie:
        prepared = self._prepared.get(number)
        if prepared is None:
            return tie
        group = (prepared.holder.key_id, prepared.account_id)
        return Tie(tie.needs, creates_ad=tie.creates_ad, can_ride=tie.can_ride, group=group)

    def _make_ready(self, number: int) -> bool:
        """Fill an operation's references in; False for one that came to its end with that."""
        if number in self.answers:
            return False
        operation = self._operations[number]
        parents = [self.answers[need] for need in self._needs[number]]
        if any(parent is None or not parent.is_success for parent in parents):
            self.answers[number] = None
            return False
        if isinstance(operation, BadOperation):
            self.answers[number] = entries.refused(BadParameter("batch", operation.message))
            return False
        if not parents and number in self._prepared:
            return True
        return self._fill_in(number, operation)

    def _fill_in(self, number: int, operation: Operation) -> bool:
        results: dict[str, Any] = {
            self._operations[need].name or "": serve.read_result(self.answers[need])
            for need in self._needs[number]
        }
        try:
            ready = serve.fill_in(operation, results)
            _refuse_references(ready)
        except (UnresolvedReference, BadParameter) as error:
            self.answers[number] = entries.refused(BadParameter("batch", str(error)))
            return False
        prepared = self._prepare(number, ready)
        if prepared is None:
            return False
        self._prepared[number] = prepared
        return True

    def _send(self, batch: Sequence[int], riding: set[int]) -> None:
        operations = [self._foreign(number, is_tied=number in riding) for number in batch]
        account_id = operations[0].account_id or -operations[0].holder.credential_id
        with batch_gates().through(account_id):
            sent = foreign.send(self._call, operations, files=self._files)
        self.answers |= sent.answers
        self.sent.append(sent)

    def _foreign(self, number: int, *, is_tied: bool) -> ForeignOperation:
        operation, prepared = self._operations[number], self._prepared[number]
        if not isinstance(operation, Operation):
            raise TypeError("What is no operation is not sent.")
        return ForeignOperation(
            number,
            prepared.call,
            prepared.holder,
            prepared.account_id,
            attached_files=operation.attached_files,
            name=operation.name if is_tied else None,
            depends_on=_ties_to_name(operation) if is_tied else (),
            needs=tuple(self._needs[number]) if is_tied else (),
        )

    def _answer_own(self, numbers: Sequence[int]) -> None:
        """Answer those of our own sets one after the other, as single calls would be."""
        for number in numbers:
            try:
                answer = dispatch.answer(self._prepared[number].call)
                self.answers[number] = entries.entry_of(answer)
            except Exception as error:  # noqa: BLE001  # whatever ends one operation ends no other
                self.answers[number] = entries.refused(error)


def _side_by_side(jobs: Sequence[Callable[[], object]]) -> None:
    """Do the jobs on threads that know the call under way. None of them raises anything."""
    if len(jobs) == 1:
        jobs[0]()
        return
    most = parts().settings.batch_threads_per_account
    with ThreadPoolExecutor(max_workers=max(1, min(len(jobs), most))) as pool:
        contexts = [contextvars.copy_context() for _ in jobs]
        futures = [
            pool.submit(context.run, job) for context, job in zip(contexts, jobs, strict=True)
        ]
    for future in futures:
        future.result()


def _as_written(operation: Operation) -> ReadyOperation:
    return ReadyOperation(
        operation.method,
        operation.path,
        operation.query,
        operation.form,
        operation.headers,
        operation.attached_files,
        operation.access_token,
    )


def _addresses_by_reference(operation: Operation) -> bool:
    """Tell whether a reference decides what an operation addresses."""
    texts = [text for name, text in (*operation.query, *operation.form) if name in _ADDRESSES]
    return any(find_references(text) for text in (operation.path, *texts))


def _creates_ad(operation: Operation) -> bool:
    return operation.method == "POST" and operation.path.rstrip("/").endswith("/ads")


def _ties_to_name(operation: Operation) -> tuple[str, ...]:
    """The operations to be named in ``depends_on``: a reference is a tie without that."""
    texts = [operation.path, *(text for _, text in (*operation.query, *operation.form))]
    referred = {each.name for text in texts for each in find_references(text)}
    return tuple(name for name in operation.needs if name not in referred)


def _refuse_references(ready: ReadyOperation) -> None:
    """Raise BadParameter for an answer that brought a reference in: nobody meant to refer to it."""
    texts = (ready.path, *(text for _, text in (*ready.query, *ready.form)))
    if any(find_references(text) for text in texts):
        raise BadParameter("batch", "What was filled in holds a reference itself.")
