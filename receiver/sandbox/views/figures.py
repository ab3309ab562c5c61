"""The figures of ads: insights, the statistics of an account's ads, and estimates of reach."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from receiver.graph import serve
from receiver.graph.serve import BadParameter, Field
from receiver.sandbox.calls import errors
from receiver.sandbox.views.context import Context, EdgeCall, Json, Kind
from receiver.sandbox.views.filtering import Filters, filtered, read_filters
from receiver.sandbox.views.insights import INSIGHTS
from receiver.sandbox.views.made_up import Figures, made_up_figures, made_up_number
from receiver.sandbox.views.nodes import node
from receiver.sandbox.views.periods import DEFAULT_PRESET, Period, preset_period
from receiver.sandbox.world.objects import GraphObject, ObjectKind
from receiver.sandbox.world.world import Account

_LEVELS = {
    "account": None,
    "campaign": ObjectKind.CAMPAIGN,
    "adset": ObjectKind.AD_SET,
    "ad": ObjectKind.AD,
}

_TIMED_OUT = 99

_MANY_ADS = 100
"""Of more ads than these, ``adgroupstats`` times out. The page gives no number."""


@dataclass(frozen=True)
class Row:
    """The sum of the figures of ``parts``, which are ids.

    ``ids`` are those of the object that the row is about, and of what stands above it; none in a
    row of an account.
    """

    account_id: str | None
    ids: Mapping[ObjectKind, str]
    parts: tuple[str, ...]
    period: Period


def list_insights(context: Context, thing: GraphObject, edge_call: EdgeCall) -> Json:
    """``GET /<id>/insights`` of an ad, an ad set or a campaign."""
    own = frozenset({thing.id})
    filters = read_filters(edge_call.parameters)
    filters[thing.kind] = filters.get(thing.kind, own) & own
    level = _read_level(edge_call.parameters, default=thing.kind) or thing.kind
    return _list(context, edge_call, filters, level=level, account_id=thing.account_id)


def list_account_insights(context: Context, account: Account, edge_call: EdgeCall) -> Json:
    """``GET /act_<id>/insights``: one row, unless ``level`` wants one for each object."""
    filters = read_filters(edge_call.parameters)
    level = _read_level(edge_call.parameters, default=None)
    return _list(context, edge_call, filters, level=level, account_id=account.id)


def _read_level(parameters: Mapping[str, Any], *, default: ObjectKind | None) -> ObjectKind | None:
    level = parameters.get("level")
    if level in (None, ""):
        return default
    if not isinstance(level, str) or level not in _LEVELS:
        raise BadParameter("level", f"Param level must be one of {{{', '.join(_LEVELS)}}}.")
    return _LEVELS[level]


def _list(
    context: Context,
    edge_call: EdgeCall,
    filters: Filters,
    *,
    level: ObjectKind | None,
    account_id: str | None,
) -> Json:
    period = _read_period(edge_call.parameters, now=context.now)
    if level is None and not filters:
        rows = [Row(account_id, {}, (f"act_{account_id}",), period)]
    else:
        things = filtered(context, filters, level=level, account_id=account_id)
        rows = _rows(context, things, level=level, account_id=account_id, period=period)
    always = (Field("date_start"), Field("date_stop"))
    fields = (*edge_call.fields, *always) if edge_call.fields else ()
    return context.page(replace(edge_call, fields=fields), rows, kind=ROW)


def _rows(
    context: Context,
    things: Iterable[GraphObject],
    *,
    level: ObjectKind | None,
    account_id: str | None,
    period: Period,
) -> list[Row]:
    """Return a row for each object of the level that the things are, or are part of."""
    parts: dict[str | None, list[str]] = {}
    lineages: dict[str | None, Mapping[ObjectKind, str]] = {}
    for thing in things:
        lineage = context.world.objects.lineage(thing)
        key = None if level is None else lineage.get(level)
        if level is None or key is not None:
            parts.setdefault(key, []).append(thing.id)
            lineages[key] = {kind: lineage[kind] for kind in _above(level) if kind in lineage}
    return [Row(account_id, lineages[key], tuple(ids), period) for key, ids in parts.items()]


def _above(level: ObjectKind | None) -> tuple[ObjectKind, ...]:
    """Return the kinds whose ids stand in a row of a level."""
    kinds = (ObjectKind.CAMPAIGN, ObjectKind.AD_SET, ObjectKind.AD)
    return () if level is None else kinds[: kinds.index(level) + 1]


def _names(context: Context, ids: Mapping[ObjectKind, str]) -> dict[ObjectKind, str]:
    found = {kind: context.world.objects.find(object_id) for kind, object_id in ids.items()}
    return {
        kind: thing.fields["name"]
        for kind, thing in found.items()
        if thing is not None and "name" in thing.fields
    }


def _read_period(parameters: Mapping[str, Any], *, now: datetime) -> Period:
    """Return the days that a call asks for: ``time_range`` goes before ``date_preset``."""
    if parameters.get("time_range") not in (None, ""):
        return _read_range(serve.decode_json(parameters, "time_range", lenient=True))
    preset = parameters.get("date_preset") or DEFAULT_PRESET
    try:
        return preset_period(str(preset), today=now.date())
    except ValueError as error:
        raise BadParameter("date_preset", f"Param date_preset cannot be {preset!r}.") from error


def _read_range(value: Any) -> Period:
    try:
        since, until = (date.fromisoformat(str(value[key])) for key in ("since", "until"))
    except (TypeError, LookupError, ValueError) as error:
        message = "Param time_range must be an object of since and until, as YYYY-MM-DD."
        raise BadParameter("time_range", message) from error
    if since > until:
        raise BadParameter("time_range", "The start of time_range cannot be after its end.")
    return since, until


def _record(context: Context, row: Row) -> Json:
    """Every field of a row that is known. Rows have no id of their own."""
    start, stop = row.period
    figures = sum(map(made_up_figures, row.parts), Figures())
    return {
        "id": None,
        "account_id": row.account_id,
        **{f"{kind}_id": object_id for kind, object_id in row.ids.items()},
        **{f"{kind}_name": name for kind, name in _names(context, row.ids).items()},
        **figures.shown(),
        "account_currency": "USD",
        "date_start": start.isoformat(),
        "date_stop": stop.isoformat(),
    }


ROW = Kind(INSIGHTS, _record)


def list_ad_statistics(context: Context, account: Account, edge_call: EdgeCall) -> Json:
    """``GET /act_<id>/adgroupstats``: the figures of each ad.

    Raises GraphFault for an account with many ads: the call may time out (Facebook's page).
    """
    ads = context.world.objects.under(f"act_{account.id}", ObjectKind.AD)
    living = [ad for ad in ads if not ad.is_deleted]
    if len(living) > _MANY_ADS:
        raise errors.too_much_data(subcode=_TIMED_OUT)
    return context.page(edge_call, living, kind=STATISTICS)


def _statistics(_context: Context, ad: GraphObject) -> Json:
    return {"id": None, "adgroup_id": ad.id, **made_up_figures(ad.id).shown()}


STATISTICS = Kind(
    node("AdGroupStats", "adgroup_id impressions clicks spend", "reach frequency ctr cpc cpm"),
    _statistics,
)


def estimate_reach(_context: Context, _account: Account, edge_call: EdgeCall) -> Json:
    """``GET /act_<id>/reachestimate``: how many people a targeting reaches, made up from it."""
    parameters = edge_call.parameters
    if parameters.get("targeting_spec") in (None, ""):
        raise BadParameter.missing("targeting_spec")
    targeting = serve.decode_json(parameters, "targeting_spec", lenient=True)
    if not isinstance(targeting, dict):
        raise BadParameter("targeting_spec", "Param targeting_spec must be an object.")
    seed = json.dumps(targeting, sort_keys=True)
    lowest = 1000 * (1 + made_up_number(f"reach of {seed}", below=100_000))
    bounds = {"users_lower_bound": lowest, "users_upper_bound": lowest * 6 // 5}
    return {"data": {**bounds, "estimate_ready": True}}
