"""The server's half of the Graph protocol, without I/O: parameters, fields, pages, ETags, batches.

The sandbox and the gateway both answer with it. What is wrong with a call is raised as
``BadParameter``; each server words its own error body.
"""

from receiver.graph.lenient_json import loads_strict
from receiver.graph.serve.adbatch import AsyncOperation, parse_adbatch
from receiver.graph.serve.batch import (
    BadBatch,
    Entry,
    OperationAnswer,
    ReadyOperation,
    fill_in,
    is_omitted,
    parse_batch,
    read_result,
    run_batch,
    show_answer,
)
from receiver.graph.serve.etag import NOT_MODIFIED, etag, is_unchanged
from receiver.graph.serve.fields import (
    Field,
    parse_expansion,
    select_fields,
    unknown_field,
    write_fields,
)
from receiver.graph.serve.listed_set import (
    LISTED_TYPES,
    ListedStatus,
    ListedType,
    listed_status,
    parse_listed_statuses,
    parse_listed_types,
)
from receiver.graph.serve.new_set import (
    NewSet,
    check_notification,
    parse_mode,
    parse_name,
    parse_new_set,
    parse_notification,
    parse_notification_uri,
)
from receiver.graph.serve.operation import (
    BadOperation,
    Operation,
    Pairs,
    parse_adbatch_body,
    parse_form,
    split_url,
    write_form,
)
from receiver.graph.serve.paging import (
    decode_cursor,
    encode_cursor,
    page_answer,
    parse_limit,
)
from receiver.graph.serve.parameters import (
    BadParameter,
    MissingParameter,
    decode_json,
    parse_flag,
    parse_ids,
    parse_statuses,
    read_parameters,
)
from receiver.graph.serve.path import split_path

__all__ = [
    "LISTED_TYPES",
    "NOT_MODIFIED",
    "AsyncOperation",
    "BadBatch",
    "BadOperation",
    "BadParameter",
    "Entry",
    "Field",
    "ListedStatus",
    "ListedType",
    "MissingParameter",
    "NewSet",
    "Operation",
    "OperationAnswer",
    "Pairs",
    "ReadyOperation",
    "check_notification",
    "decode_cursor",
    "decode_json",
    "encode_cursor",
    "etag",
    "fill_in",
    "is_omitted",
    "is_unchanged",
    "listed_status",
    "loads_strict",
    "page_answer",
    "parse_adbatch",
    "parse_adbatch_body",
    "parse_batch",
    "parse_expansion",
    "parse_flag",
    "parse_form",
    "parse_ids",
    "parse_limit",
    "parse_listed_statuses",
    "parse_listed_types",
    "parse_mode",
    "parse_name",
    "parse_new_set",
    "parse_notification",
    "parse_notification_uri",
    "parse_statuses",
    "read_parameters",
    "read_result",
    "run_batch",
    "select_fields",
    "show_answer",
    "split_path",
    "split_url",
    "unknown_field",
    "write_fields",
    "write_form",
]
