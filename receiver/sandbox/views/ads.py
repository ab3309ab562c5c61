"""The creates of an account: campaigns, ad sets, ads and creatives."""

from __future__ import annotations

from receiver.sandbox.views import links, nodes, outcomes, specs
from receiver.sandbox.views.context import Context, Json
from receiver.sandbox.views.objects import KINDS, fields_to_show
from receiver.sandbox.world.objects import ObjectKind
from receiver.sandbox.world.world import Account


def create_campaign(context: Context, account: Account) -> Json:
    """``POST /act_<id>/campaigns``."""
    fields = specs.read_fields(context.parameters, node=nodes.CAMPAIGN)
    specs.require(fields, ("name", "objective"))
    return _create(context, account, ObjectKind.CAMPAIGN, fields)


def create_ad_set(context: Context, account: Account) -> Json:
    """``POST /act_<id>/adsets``."""
    fields = specs.read_fields(context.parameters, node=nodes.AD_SET)
    specs.require(fields, ("name", "campaign_id", "targeting", "billing_event"))
    return _create(context, account, ObjectKind.AD_SET, fields)


def create_ad(context: Context, account: Account) -> Json:
    """``POST /act_<id>/ads``. Many examples of the page have no creative: none is required."""
    fields = specs.read_fields(context.parameters, node=nodes.AD)
    specs.require(fields, ("adset_id", "name"))
    return _create(context, account, ObjectKind.AD, fields)


def create_creative(context: Context, account: Account) -> Json:
    """``POST /act_<id>/adcreatives``."""
    fields = links.read_creative(context.parameters)
    return _create(context, account, ObjectKind.CREATIVE, fields)


def _create(context: Context, account: Account, kind: ObjectKind, fields: Json) -> Json:
    shown = fields_to_show(context, KINDS[kind])
    outcomes.check_fate(fields)
    resolved = links.resolve(context, kind, fields, account_id=account.id)
    return context.show(links.make(context, kind, resolved, account_id=account.id), shown)
