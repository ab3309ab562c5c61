"""Answer a batch: a list of entries in the order of its operations."""

from __future__ import annotations

import json

from receiver.graph import serve
from receiver.store.keys import Caller
from receiver.web.context import parts
from receiver.web.gateway import outgoing
from receiver.web.gateway.answer import NEVER_CACHED, Answer
from receiver.web.gateway.batches.run import BatchRun
from receiver.web.gateway.call import GraphCall


def answer(call: GraphCall, holder: Caller) -> Answer:
    """Answer ``POST /`` with ``batch``.

    Raises BadBatch for one that is refused as a whole, BadParameter, Fault, DatabaseAway,
    CannotOpen.
    """
    operations = serve.parse_batch(call.parameters, most=parts().settings.batch_max_operations)
    with_headers = serve.parse_flag(call.parameters.get("include_headers"), name="include_headers")
    run = BatchRun(call, holder, operations)
    with outgoing.slot(None, holder):
        run.carry_out()
    whole = run.sent[0] if len(run.sent) == 1 else None
    if whole is not None and whole.refusal and len(whole.answers) == len(operations):
        return whole.refusal
    used = {name for operation in operations for name in operation.needs}
    entries = [
        None if serve.is_omitted(operation, run.answers[number], used=used) else run.answers[number]
        for number, operation in enumerate(operations)
    ]
    shown = [serve.show_answer(entry, with_headers=with_headers is not False) for entry in entries]
    body = json.dumps(shown, indent=3 if call.wants_pretty else None).encode("ascii")
    return Answer(200, body, (("X-Receiver-Source", "graph"), ("Cache-Control", NEVER_CACHED)))
