"""What a request of a set asks for: the call that would do the same at once.

An ad spec stands for ``POST /act_<id>/ads``, a creative spec for ``POST /act_<id>/adcreatives``, an
operation of an async batch for the call that it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from receiver.graph import serve
from receiver.graph.references import find_references, substitute
from receiver.graph.serve import BadParameter
from receiver.sandbox.calls.ids import account_number, is_object_id

MAX_DEPTH = 64

_PARENTS = ("adset_id", "campaign_id")


@dataclass(frozen=True)
class Work:
    """A POST to be made. References to other requests' results stand in path and parameters.

    ``shown`` is what ``input`` shows of it; ``name`` is how other requests refer to its result,
    ``needs`` are the names that it refers to.
    """

    path: str
    parameters: Mapping[str, Any]
    shown: Mapping[str, Any]
    scope_object_id: str | None = None
    name: str | None = None
    needs: tuple[str, ...] = ()

    def resolved(self, results: Mapping[str, Any]) -> Work:
        """Return the work with its references filled in. Raises UnresolvedReference."""
        if not self.needs:
            return self
        parameters = {
            key: substitute(text, results=results) for key, text in self.parameters.items()
        }
        path = substitute(self.path, results=results)
        return Work(path, parameters, self.shown, scope_object_id=_scope(path, parameters))


def ad_work(account_id: str, spec: Mapping[str, Any]) -> Work:
    """An ad to be made. Raises BadParameter for a spec that is nested too deeply."""
    normal = normalise_spec(spec, name="ad_specs")
    shown = {"adgroup_spec": normal}
    return Work(f"/act_{account_id}/ads", normal, shown, scope_object_id=scope_object_id(normal))


def creative_work(account_id: str, spec: Mapping[str, Any]) -> Work:
    """A creative to be made. Raises BadParameter for a spec that is nested too deeply."""
    normal = normalise_spec(spec, name="creative_spec")
    shown = {"creative_spec": normal}
    return Work(f"/act_{account_id}/adcreatives", normal, shown, scope_object_id=account_id)


def operation_work(operation: serve.AsyncOperation) -> Work:
    """An operation to be done: its URL may have a version and slashes, or neither.

    Raises BadParameter for a body that is an object and nested too deeply.
    """
    body = normalise_spec(operation.body, name="adbatch")
    path, query = serve.split_url(operation.relative_url)
    path = "/" + "/".join(serve.split_path(path)[1])
    parameters = dict((*query, *serve.parse_adbatch_body(body)))
    texts = (path, *parameters.values())
    needs = dict.fromkeys(each.name for text in texts for each in find_references(text))
    return Work(
        path,
        parameters,
        shown={
            "name": operation.name,
            "relative_url": operation.relative_url,
            "body": body,
        },
        scope_object_id=_scope(path, parameters),
        name=operation.name,
        needs=tuple(needs),
    )


def _scope(path: str, parameters: Mapping[str, Any]) -> str | None:
    """The parent's id; None while it is a reference, which names nothing yet."""
    parents = (str(parameters.get(name) or "") for name in _PARENTS)
    if any(map(find_references, parents)):
        return None
    return scope_object_id(parameters) or account_number(path.split("/")[1])


def scope_object_id(parameters: Mapping[str, Any]) -> str | None:
    """Return the id of the object that would be made under: the ad set, or else the campaign."""
    for name in _PARENTS:
        if is_object_id(parameters.get(name)):
            return str(parameters[name])
    return None


def normalise_spec(value: Any, *, name: str, key: str = "", depth: int = 0) -> Any:
    """Return a spec as Facebook shows it in ``input``: numeric ids have become strings.

    Raises BadParameter, naming the parameter ``name``, for a spec nested so deep that it could not
    be shown again.
    """
    if depth > MAX_DEPTH:
        raise BadParameter(name, f"Param {name} is nested too deeply.")
    if isinstance(value, dict):
        return {
            k: normalise_spec(v, name=name, key=str(k), depth=depth + 1) for k, v in value.items()
        }
    if isinstance(value, list):
        return [normalise_spec(item, name=name, key=key, depth=depth + 1) for item in value]
    if key.endswith("_id") and type(value) is int:
        return str(value)
    return value
