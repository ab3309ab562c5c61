"""What views work with: the world, the call, and how a thing of it is shown."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from receiver.graph import serve
from receiver.graph.serve import Field
from receiver.graph.vocabulary import Node
from receiver.sandbox.calls import errors
from receiver.sandbox.calls.graph_call import GraphCall
from receiver.sandbox.views.pages import take_page
from receiver.sandbox.world.world import World

_MAX_SHOWN = 50_000
"""Twice as much as fifty ids with the largest page of each."""

Json = dict[str, Any]
Overrides = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class EdgeCall:
    """A reading of an edge, whether it was called itself or expanded inside a node.

    ``address`` is the edge's URL without a query, for the links of its pages;
    ``link_parameters`` are what a link repeats beside the cursor.
    """

    parameters: Mapping[str, Any]
    fields: tuple[Field, ...]
    address: str
    link_parameters: Mapping[str, str]


@dataclass(frozen=True)
class Kind:
    """A kind of thing: its node, every plain field of it, and what can be done with it.

    ``links`` are the fields that hold another thing's id, and show that one where fields of it are
    asked for. ``edges`` are read, ``creates`` are edges that take a POST, ``removes`` those that
    take a DELETE, each by the edge's name. ``record`` gives None for a field that the thing does
    not have now.
    """

    node: Node
    record: Callable[[Context, Any], Json]
    links: frozenset[str] = frozenset()
    edges: Mapping[str, Callable[[Context, Any, EdgeCall], Json]] = field(default_factory=dict)
    creates: Mapping[str, Callable[[Context, Any], Json]] = field(default_factory=dict)
    removes: Mapping[str, Callable[[Context, Any], Json]] = field(default_factory=dict)
    update: Callable[[Context, Any], Json] | None = None
    delete: Callable[[Context, Any], Json] | None = None
    note_read: Callable[[Context, Any], None] = lambda _context, _thing: None

    def check(self, fields: Sequence[Field]) -> None:
        """Raise BadParameter for a field or an edge that the node does not have."""
        for each in fields:
            is_field = each.name in self.node.fields and not each.parameters
            if not is_field and each.name not in self.edges:
                raise serve.unknown_field(each.name, node=self.node)


@dataclass(frozen=True)
class Context:
    """What a view works on. The caller holds the world's lock."""

    world: World
    overrides: Overrides
    call: GraphCall
    now: datetime
    kind_of: Callable[[Any], Kind]
    find: Callable[[Context, str], Any]
    """Return the thing with an id. Raises GraphFault for one that does not exist."""
    shown: Iterator[int] = field(default_factory=itertools.count)
    """Counts what the answer shows: expansions inside of each other multiply."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        return self.call.parameters

    def show(self, thing: Any, fields: Sequence[Field] = (), *, kind: Kind | None = None) -> Json:
        """Show a thing: the fields asked for, or its defaults, and always its id.

        ``kind`` is how it is to be shown, where that is not what it is.

        Raises BadParameter for a field or an edge that its node does not have, and GraphFault once
        the answer shows too much.
        """
        if next(self.shown) >= _MAX_SHOWN:
            raise errors.too_much_data()
        kind = kind or self.kind_of(thing)
        kind.check(fields)
        record = kind.record(self, thing)
        record = {**record, **self.overrides.get(record["id"], {})}
        wanted = fields or tuple(Field(name) for name in kind.node.default_fields)
        shown = {each.name: self._value(thing, each, kind=kind, record=record) for each in wanted}
        return serve.select_fields({"id": record["id"], **shown}, tuple(shown))

    def _value(self, thing: Any, wanted: Field, *, kind: Kind, record: Json) -> Any:
        if wanted.name in kind.edges:
            return kind.edges[wanted.name](self, thing, self._expanded(record["id"], wanted))
        value = record.get(wanted.name)
        if callable(value):  # what is costly to make and seldom asked for
            value = value()
        if wanted.fields and wanted.name in kind.links and isinstance(value, dict):
            return self.show(self.find(self, value["id"]), wanted.fields)
        return value

    def _expanded(self, object_id: str, wanted: Field) -> EdgeCall:
        address = f"{self.call.base_url}/{self.call.version}/{object_id}/{wanted.name}"
        named = {"fields": serve.write_fields(wanted.fields)} if wanted.fields else {}
        links = {**wanted.parameters, **named, "access_token": self.call.token}
        return EdgeCall(wanted.parameters, wanted.fields, address, links)

    def edge_call(self) -> EdgeCall:
        """The reading of an edge that the call itself asks for."""
        call = self.call
        fields = serve.parse_expansion(call.parameters.get("fields"))
        return EdgeCall(call.parameters, fields, call.address, call.link_parameters)

    def page(
        self,
        edge_call: EdgeCall,
        members: Sequence[Any],
        *,
        kind: Kind,
        keep: Callable[[Any], bool] = lambda _: True,
        newest_first: bool = False,
    ) -> Json:
        """Show a page of an edge's members, with cursors, links, and a summary where asked for.

        ``kind`` is what the members are; ``keep`` tells which of them are meant.
        """
        kind.check(edge_call.fields)
        parameters = edge_call.parameters
        page = take_page(
            members,
            limit=serve.parse_limit(parameters.get("limit")),
            after=serve.decode_cursor(parameters, "after"),
            before=serve.decode_cursor(parameters, "before"),
            newest_first=newest_first,
            keep=keep,
        )
        answer = serve.page_answer(
            [self.show(member, edge_call.fields, kind=kind) for member in page.members],
            first=page.first,
            last=page.last,
            has_next=page.has_next,
            has_previous=page.has_previous,
            url=edge_call.address,
            parameters=edge_call.link_parameters,
        )
        if _wants_summary(parameters):
            answer["summary"] = {"total_count": sum(map(keep, members))}
        return answer

    def fields_after_write(self, kind: Kind) -> tuple[Field, ...]:
        """Return what a create answers: the id, and with ``fields`` a read of what was made.

        To be called before anything is made: raises BadParameter for a field that does not exist.
        """
        fields = serve.parse_expansion(self.parameters.get("fields"))
        kind.check(fields)
        return fields or (Field("id"),)

    def no_such_object(self, object_id: str) -> errors.GraphFault:
        return errors.no_such_object(self.call.method, object_id)


def _wants_summary(parameters: Mapping[str, Any]) -> bool:
    return str(parameters.get("summary") or "").lower() in ("1", "true", "total_count")
