"""What the Graph-compatible host costs and saves, beside Facebook's own host in the same run.

Facebook is the sandbox. Run with ``make bench-full``; what the numbers mean stands in
``benchmarks/README.md``.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

import click
import requests
from facebook_business.adobjects.adaccount import AdAccount

from benchmarks.official_sdk import TOKEN, sdk_at
from benchmarks.quiet import be_quiet
from benchmarks.sandbox_control import spent, tell
from benchmarks.timing import seconds_taken
from receiver.cli.demo.stage import Stage

_ACCOUNT = "71597454"
_ACT = f"act_{_ACCOUNT}"
_ADS = 200
_BATCH = 10
_LATENCY = {"latency_ms": 300, "operation_latency_ms": 50}
_CLIENTS = 20
_READS = 500
_ROUND_TRIPS = 400
_WARM_UPS = 20
_TIMEOUT_SECONDS = 300
_STORY = {"page_id": "9", "link_data": {"link": "https://x.example/", "message": "m"}}


@click.command()
@click.option("--only", type=click.Choice(["batch", "polling", "latency"]), help="Measure one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def main(*, only: str | None, as_json: bool) -> None:
    """Measure a batch, polling and a call that passes through, with the receiver and without."""
    be_quiet()
    measures: dict[str, Callable[[Stage], dict[str, Any]]] = {
        "batch": measure_batch,
        "polling": measure_polling,
        "latency": measure_latency,
    }
    report = {}
    with tempfile.TemporaryDirectory() as folder, closing(Stage(Path(folder))) as stage:
        stage.open([_ACCOUNT])
        for name, measure in measures.items():
            if only in (None, name):
                report[name] = measure(stage)
                if not as_json:
                    click.echo(_lines(name, report[name]))
    if as_json:
        click.echo(json.dumps(report, indent=2))


def measure_batch(stage: Stage) -> dict[str, Any]:
    """One creative and 200 ads that refer to it: one batch here, the SDK's batches of ten there."""
    tell(stage.sandbox_url, "latency", _LATENCY)
    try:
        seconds = {
            "receiver, one batch": seconds_taken(lambda: _oversized_batch(stage)),
            "SDK, one after another": seconds_taken(lambda: _sdk_batches(stage, threads=1)),
            "SDK, four threads": seconds_taken(lambda: _sdk_batches(stage, threads=4)),
        }
    finally:
        tell(stage.sandbox_url, "latency", {"latency_ms": 0})
    here = seconds["receiver, one batch"]
    ratios = {name: round(taken / here, 2) for name, taken in seconds.items()}
    return {"seconds": _rounded(seconds), "times_the_receivers": ratios}


def _oversized_batch(stage: Stage) -> None:
    creative = {
        "method": "POST",
        "name": "creative",
        "relative_url": f"{_ACT}/adcreatives",
        "body": f"name=c&object_story_spec={json.dumps(_STORY)}",
    }
    spec = json.dumps({"creative_id": "{result=creative:$.id}"})
    ads = [
        {
            "method": "POST",
            "relative_url": f"{_ACT}/ads",
            "body": f"name=ad-{number}&adset_id=6008248529789&creative={spec}",
        }
        for number in range(_ADS)
    ]
    form = {"batch": json.dumps([creative, *ads]), "access_token": stage.key}
    answer = requests.post(f"{stage.receiver_url}/v21.0/", data=form, timeout=_TIMEOUT_SECONDS)
    entries = answer.json()
    if [entry and entry["code"] for entry in entries] != [None] + [200] * _ADS:
        raise ValueError(f"The batch went wrong: {answer.text[:500]}")


def _sdk_batches(stage: Stage, *, threads: int) -> None:
    account = AdAccount(_ACT, api=sdk_at(stage.sandbox_url))
    creative = account.create_ad_creative(params={"name": "c", "object_story_spec": _STORY})

    def send(_number: int) -> None:
        api = sdk_at(stage.sandbox_url)
        batch = api.new_batch()
        for number in range(_BATCH):
            spec = {"creative_id": creative["id"]}
            params = {"name": f"ad-{number}", "adset_id": "6008248529789", "creative": spec}
            AdAccount(_ACT, api=api).create_ad(params=params, batch=batch, failure=_fail)
        batch.execute()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(send, range(_ADS // _BATCH)))


def _fail(response: Any) -> None:
    raise ValueError(f"An ad was refused: {response.error()}")


def measure_polling(stage: Stage) -> dict[str, Any]:
    """Twenty programs that poll one open set: what that costs at Facebook, and how fast it is."""
    tell(stage.sandbox_url, f"accounts/{_ACCOUNT}", {"progress": {"kind": "by_hand"}})
    spec = [{"name": "one", "adset_id": "6008248529789"}]
    form = {"name": "polled", "ad_specs": json.dumps(spec), "access_token": stage.key}
    url = f"{stage.receiver_url}/v21.0/{_ACT}/asyncadrequestsets"
    set_id = requests.post(url, data=form, timeout=_TIMEOUT_SECONDS).json()["id"]
    return {
        "receiver": _poll(stage, f"{stage.receiver_url}/v21.0/{set_id}", stage.key),
        "Facebook itself": _poll(stage, f"{stage.sandbox_url}/v21.0/{set_id}", TOKEN),
    }


def _poll(stage: Stage, url: str, token: str) -> dict[str, Any]:
    before = spent(stage.sandbox_url)

    def read(_client: int) -> None:
        with requests.Session() as session:
            session.trust_env = False
            for _ in range(_READS // _CLIENTS):
                answer = session.get(url, params={"access_token": token}, timeout=_TIMEOUT_SECONDS)
                answer.raise_for_status()

    def all_read() -> None:
        with ThreadPoolExecutor(_CLIENTS) as pool:
            list(pool.map(read, range(_CLIENTS)))

    seconds = seconds_taken(all_read)
    cost = spent(stage.sandbox_url).since(before)
    return {
        "reads": _READS,
        "calls at Facebook": cost.calls,
        "points at Facebook": cost.points,
        "reads_per_second": round(_READS / seconds),
    }


def measure_latency(stage: Stage) -> dict[str, Any]:
    """One client with a kept connection reads an account, direct and through, call by call."""
    targets = {
        "direct": (f"{stage.sandbox_url}/v21.0/{_ACT}", TOKEN),
        "through": (f"{stage.receiver_url}/v21.0/{_ACT}", stage.key),
    }
    milliseconds: dict[str, list[float]] = {name: [] for name in targets}
    with requests.Session() as session:
        session.trust_env = False
        for number in range(_ROUND_TRIPS + _WARM_UPS):  # the first ones only warm up
            for name, (url, token) in targets.items():
                began = time.perf_counter()
                session.get(url, params={"access_token": token}, timeout=30).raise_for_status()
                if number >= _WARM_UPS:
                    milliseconds[name].append((time.perf_counter() - began) * 1000)
    medians = {name: median(taken) for name, taken in milliseconds.items()}
    added = medians["through"] - medians["direct"]
    return {"median_ms": {**_rounded(medians), "added": round(added, 2)}, "goal_ms": 5}


def _rounded(numbers: dict[str, float]) -> dict[str, float]:
    return {name: round(number, 2) for name, number in numbers.items()}


def _lines(name: str, measured: dict[str, Any]) -> str:
    return "\n".join([f"{name}:", *(f"  {key}: {_line(value)}" for key, value in measured.items())])


def _line(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    return ", ".join(f"{name} {number}" for name, number in value.items())


if __name__ == "__main__":
    main()
