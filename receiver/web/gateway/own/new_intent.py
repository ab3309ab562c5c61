"""Read a create (pure): its outer shape as Facebook checks it, and whether it can be stored.

What stands inside each spec is Facebook's to judge, later, request by request.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from receiver.graph import serve
from receiver.graph.json_values import children, is_storable
from receiver.graph.serve import AsyncOperation, BadParameter, MissingParameter
from receiver.graph.vocabulary import AD_SETS_EDGE, BATCHES_EDGE, CREATIVES_EDGE, MODE_OFF
from receiver.store.intents import NewIntent
from receiver.web.gateway.call import CREDENTIALS

_MAX_KEY_LENGTH = 255
_MAX_DEPTH = 100
"""Far deeper than an ad goes, and what every writer and reader of JSON on the way can take."""


@dataclass(frozen=True)
class Creation:
    """A create as the caller wants it.

    ``ad_specs`` is what is to be made, as JSON: of ``spec_count`` things. ``operations`` are those
    of an async batch.
    """

    name: str
    ad_specs: bytes
    spec_count: int
    notification_uri: str | None
    notification_mode: str
    parameters_hash: bytes = b""
    idempotency_key: str | None = None
    operations: tuple[AsyncOperation, ...] = ()


def read_creation(
    parameters: Mapping[str, Any],
    *,
    headers: Mapping[str, str] = MappingProxyType({}),
    edge: str = AD_SETS_EDGE,
) -> Creation:
    """Read a create on an edge. Raises BadParameter, which names the field."""
    creation = _READERS[edge](parameters)
    _refuse_unstorable("name", creation.name)
    _refuse_unstorable("notification_uri", creation.notification_uri or "")
    return replace(
        creation,
        parameters_hash=_hash(creation),
        idempotency_key=_read_key(parameters, headers),
    )


def intent_of(
    creation: Creation,
    *,
    account_id: int,
    api_key_id: int | None,
    edge: str = AD_SETS_EDGE,
    row_keys: bytes | None = None,
) -> NewIntent:
    """Return what is written of a create before Facebook is asked.

    ``row_keys`` is a JSON list of what the caller calls each of its specs, in their order.
    """
    return NewIntent(
        account_id=account_id,
        api_key_id=api_key_id,
        edge=edge,
        name=creation.name,
        ad_specs=creation.ad_specs,
        spec_count=creation.spec_count,
        notification_uri=creation.notification_uri,
        notification_mode=creation.notification_mode,
        idempotency_key=creation.idempotency_key,
        parameters_hash=creation.parameters_hash,
        row_keys=row_keys,
    )


def _hash(creation: Creation) -> bytes:
    """Hash what a create asks for: alike for whatever spells the same parameters."""
    asked = {
        "name": creation.name,
        "specs": json.loads(creation.ad_specs),
        "notification_uri": creation.notification_uri,
        "notification_mode": creation.notification_mode,
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()


def _read_key(parameters: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    """Read the caller's own name for the create, from its header or its field.

    The header's draft puts it in quotation marks, and most programs do not.
    """
    header = headers.get("idempotency-key", "").strip()
    if len(header) > 1 and header[0] == header[-1] == '"':
        header = header[1:-1]
    given = parameters.get("idempotency_key")
    field = "" if given is None else str(given)
    if header and field and header != field:
        message = "The header Idempotency-Key and the field idempotency_key differ."
        raise BadParameter("idempotency_key", message)
    key = header or field
    if len(key) > _MAX_KEY_LENGTH:
        message = f"An idempotency key has at most {_MAX_KEY_LENGTH} characters."
        raise BadParameter("idempotency_key", message)
    _refuse_unstorable("idempotency_key", key)
    return key or None


def _read_ads(parameters: Mapping[str, Any]) -> Creation:
    new = serve.parse_new_set(parameters)
    for index, spec in enumerate(new.ad_specs):
        _check_texts(spec, name=f"ad_specs[{index}]")
    return Creation(
        name=new.name,
        ad_specs=_as_sent(parameters, "ad_specs"),
        spec_count=len(new.ad_specs),
        notification_uri=new.notification_uri,
        notification_mode=new.notification_mode,
    )


def _read_creative(parameters: Mapping[str, Any]) -> Creation:
    name = serve.parse_name(parameters)
    spec = serve.decode_json(parameters, "creative_spec", lenient=True)
    if not isinstance(spec, dict):
        raise BadParameter("creative_spec", "Param creative_spec must be an object.")
    _check_texts(spec, name="creative_spec")
    uri, mode = serve.parse_notification(parameters)
    return Creation(
        name=name,
        ad_specs=json.dumps(spec).encode("ascii"),
        spec_count=1,
        notification_uri=uri,
        notification_mode=mode,
    )


def _read_batch(parameters: Mapping[str, Any]) -> Creation:
    if parameters.get("name") in (None, ""):
        raise MissingParameter.named("name")
    name = serve.parse_name(parameters)
    operations = tuple(map(_without_credentials, serve.parse_adbatch(parameters)))
    for index, operation in enumerate(operations):
        _check_texts(list(vars(operation).values()), name=f"adbatch[{index}]")
    return Creation(
        name=name,
        ad_specs=json.dumps([vars(operation) for operation in operations]).encode("ascii"),
        spec_count=len(operations),
        notification_uri=None,
        notification_mode=MODE_OFF,
        operations=operations,
    )


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Creation]] = {
    AD_SETS_EDGE: _read_ads,
    CREATIVES_EDGE: _read_creative,
    BATCHES_EDGE: _read_batch,
}


def _without_credentials(operation: AsyncOperation) -> AsyncOperation:
    """Take the caller's key out of an operation: Facebook gets our token with the whole batch."""
    body = operation.body
    pairs = serve.parse_adbatch_body(body)
    kept = serve.write_form(pair for pair in pairs if pair[0] not in CREDENTIALS)
    path, query = serve.split_url(operation.relative_url)
    is_clean = not any(name in CREDENTIALS for name, _ in (*pairs, *query))
    if is_clean:
        return operation
    query_text = serve.write_form(pair for pair in query if pair[0] not in CREDENTIALS)
    url = f"{path}?{query_text}" if query_text else path
    return AsyncOperation(operation.name, relative_url=url, body=kept)


def _check_texts(value: Any, *, name: str) -> None:
    for text in _texts(value, name=name):
        _refuse_unstorable(name, text)


def _texts(value: Any, *, name: str) -> Iterator[str]:
    """Every text in a JSON value, keys included. Raises BadParameter for one that is too deep."""
    level = [value]
    for _ in range(_MAX_DEPTH):
        yield from (item for item in level if isinstance(item, str))
        keys = [key for item in level if isinstance(item, dict) for key in item]
        level = [child for item in level for child in children(item)]
        yield from keys
        if not level:
            return
    raise BadParameter(name, f"Param {name} is nested more than {_MAX_DEPTH} levels deep.")


def _refuse_unstorable(name: str, text: str) -> None:
    # PostgreSQL stores neither, and nobody can mean them.
    if not is_storable(text):
        raise BadParameter(name, f"Param {name} holds U+0000 or half of a surrogate pair.")


def _as_sent(parameters: Mapping[str, Any], name: str) -> bytes:
    """The list as the caller wrote it, or as JSON where it came inside a JSON body."""
    value = parameters[name]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # A key that stands there twice is parsed once: what its first value held is only in the text.
    _refuse_unstorable(name, text)
    return text.encode()
