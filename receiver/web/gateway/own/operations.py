"""What the operations of an async batch address: their key must be allowed to, as in any call."""

from __future__ import annotations

import re
from collections.abc import Sequence

from receiver.graph import serve
from receiver.graph.references import find_references
from receiver.graph.serve import AsyncOperation, BadParameter
from receiver.store.keys import Caller
from receiver.web.gateway import access
from receiver.web.gateway.call import Body, GraphCall
from receiver.web.gateway.tokens import refuse_tokens

_MADE_BY_ANOTHER = re.compile(r"\{result=[^{}:]+:\$\.id\}")


def check_operations(call: GraphCall, holder: Caller, operations: Sequence[AsyncOperation]) -> None:
    """Refuse an async batch with an operation that its key may not make by itself.

    An object that another operation makes belongs to an account that was checked there: a path may
    begin with a reference to its id, and with no other, which could name anything.

    Raises Fault (200) and BadParameter.
    """
    calls = [_operation_call(call, operation) for operation in operations]
    for each in calls:
        refuse_tokens(each)
    if not calls:
        return
    access.allow_all([each for each in calls if not _addresses_another(each)], holder)


def _addresses_another(call: GraphCall) -> bool:
    node = call.segments[0] if call.segments else ""
    if _MADE_BY_ANOTHER.fullmatch(node):
        return True
    if find_references(node):
        raise BadParameter("adbatch", f"A path may begin with {{result=<name>:$.id}}, not {node}.")
    return False


def _operation_call(call: GraphCall, operation: AsyncOperation) -> GraphCall:
    path, query = serve.split_url(operation.relative_url)
    version, segments = serve.split_path(path)
    form = serve.parse_adbatch_body(operation.body)
    return GraphCall(
        sent_method="POST",
        version=version or call.version,
        path="/".join(segments),
        base_url=call.base_url,
        query=query,
        body=Body(form=form),
        parameters=dict((*query, *form)),
        headers={},
        key=call.key,
        is_operation=True,
    )
