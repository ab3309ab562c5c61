"""How fast the sandbox answers, beside a bare Flask view under the same server in the same run.

Run with ``make bench-full``; the mix and what the numbers mean stand in ``benchmarks/README.md``.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode

import click
import requests

from benchmarks.load import Kind, Round, load, request_bytes
from benchmarks.servers import both_serving

_SETS = 100
_REQUESTS_PER_SET = 50
_VERSION = "/v21.0"
_CREATE = f"{_VERSION}/act_1/asyncadrequestsets?access_token=token"
_SET_FIELDS = "id,name,is_completed,total_count,success_count,error_count"


@click.command()
@click.option("--seconds", default=3.0, show_default=True, help="Length of a round.")
@click.option("--rounds", default=5, show_default=True, help="Rounds of each server.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def main(*, seconds: float, rounds: int, as_json: bool) -> None:
    """Measure the sandbox's mix and the bare view's reads in turn, and compare their rates."""
    with both_serving() as (sandbox_url, flask_url):
        set_ids = [_create_set(sandbox_url) for _ in range(_SETS)]
        mixes = {sandbox_url: sandbox_mix(set_ids), flask_url: flask_mix(set_ids)}
        measured: dict[str, list[Round]] = {url: [] for url in mixes}
        for number in range(-1, rounds):  # the first pair of rounds only warms up
            for url, mix in mixes.items():
                one = load(url, mix, seconds=seconds if number >= 0 else 1, seed=number * 100)
                measured[url] += [one] if number >= 0 else []
    report = _report(measured[sandbox_url], measured[flask_url])
    click.echo(json.dumps(report, indent=2) if as_json else _table(report))


def _create_set(url: str) -> str:
    answer = requests.post(url + _CREATE, data=_new_set(_REQUESTS_PER_SET), timeout=10)
    return str(answer.json()["id"])


def _new_set(size: int) -> dict[str, str]:
    specs = [
        {"name": f"ad {number}", "adset_id": "5", "creative": {"creative_id": "7"}}
        for number in range(size)
    ]
    return {"name": "set", "ad_specs": json.dumps(specs)}


def sandbox_mix(set_ids: Sequence[str]) -> tuple[Kind, ...]:
    """Return the mix of ``benchmarks/README.md``."""
    batches = [set_ids[start : start + 10] for start in range(0, len(set_ids), 10)]
    create = request_bytes("POST", _CREATE, form=urlencode(_new_set(10)).encode())
    return (
        Kind("set read", 60, [_get(each, fields=_SET_FIELDS) for each in set_ids]),
        Kind("request page", 25, [_get(f"{each}/requests", limit="25") for each in set_ids]),
        Kind("batch of ten reads", 5, [_batch(each) for each in batches]),
        Kind("create of ten ads", 10, [create]),
    )


def flask_mix(set_ids: Sequence[str]) -> tuple[Kind, ...]:
    return (Kind("bare view", 100, [_get(each, fields=_SET_FIELDS) for each in set_ids]),)


def _get(path: str, **parameters: str) -> bytes:
    query = urlencode({**parameters, "access_token": "token"})
    return request_bytes("GET", f"{_VERSION}/{path}?{query}")


def _batch(set_ids: Sequence[str]) -> bytes:
    operations = [
        {"method": "GET", "relative_url": f"{each}?fields={_SET_FIELDS}"} for each in set_ids
    ]
    form = urlencode({"batch": json.dumps(operations), "access_token": "token"}).encode()
    return request_bytes("POST", f"{_VERSION}/", form=form)


def _report(sandbox: Sequence[Round], flask: Sequence[Round]) -> dict[str, Any]:
    rates = {"sandbox": _rates(sandbox), "bare Flask view": _rates(flask)}
    latencies: dict[str, list[float]] = defaultdict(list)
    for one in (*sandbox, *flask):
        for sample in one.samples:
            latencies[sample.kind].append(sample.seconds * 1000)
    return {
        "calls_per_second": rates,
        "ratio": round(rates["sandbox"]["median"] / rates["bare Flask view"]["median"], 3),
        "latency_ms": {kind: _latency(each) for kind, each in latencies.items()},
    }


def _rates(rounds: Sequence[Round]) -> dict[str, float]:
    rates = [each.calls_per_second for each in rounds]
    return {"min": round(min(rates)), "median": round(median(rates)), "max": round(max(rates))}


def _latency(milliseconds: Sequence[float]) -> dict[str, float]:
    cuts = quantiles(milliseconds, n=100)
    return {"calls": len(milliseconds), "p50": round(cuts[49], 2), "p99": round(cuts[98], 2)}


def _table(report: dict[str, Any]) -> str:
    lines = [f"{'calls per second':22}{'min':>9}{'median':>9}{'max':>9}"]
    for name, rates in report["calls_per_second"].items():
        lines.append(f"{name:22}{rates['min']:9}{rates['median']:9}{rates['max']:9}")
    lines += [f"ratio of the medians  {report['ratio']:9}", ""]
    lines.append(f"{'latency in ms':22}{'calls':>9}{'p50':>9}{'p99':>9}")
    for kind, latency in report["latency_ms"].items():
        lines.append(f"{kind:22}{latency['calls']:9}{latency['p50']:9}{latency['p99']:9}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
