"""What a deployment needs: by hand for one, and what holds for all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from touchline import sizing
from touchline.sizing import DEPLOYMENTS, Deployment, needs

#: Reckoned by hand: 1,200 athletes at full load, an hour of work and of everything else.
BY_HAND = Deployment(
    "hand", "", 1200, watch=False, day_s=3600, kept_s=3600, priced="", machine_h=1, peak_h=1, disk_h=730
)


def test_by_hand() -> None:
    found = needs(BY_HAND)
    assert found.worker_cores == pytest.approx(1200 / sizing.PER_CORE)
    assert found.broker_in == pytest.approx(1200 * 8.2e-3)  # 4.3 + 2.0 + 1.9 kB/s
    assert found.broker_out == pytest.approx(1200 * 8.3e-3)  # 4.3 to workers, 2.0 to sink and page each
    assert found.broker_disk_gb == pytest.approx(3 * 1200 * (6.3e-6 * 3600 + 19e-6))
    assert found.shard_gb == pytest.approx(1200 * 3600 * 107 * 3 / 1e9)
    assert found.zone_gb == pytest.approx(2 * 1200 * 8.2e-6 * 3600)
    parts = found.cores * 0.04, found.broker_disk_gb * 0.08, found.zone_gb * 0.01
    assert found.price == pytest.approx(sum(parts))


@pytest.mark.parametrize("asked", DEPLOYMENTS, ids=lambda d: d.name)
def test_there_are_partitions_for_the_workers_and_cores_for_everything(asked: Deployment) -> None:
    found = needs(asked)
    assert found.partitions == sizing.MOST_PARTITIONS or found.partitions >= 4 * found.workers
    assert found.partitions > found.workers > found.worker_cores
    assert found.cores > found.worker_cores + found.sink_cores + found.influx + found.pages
    twice = needs(replace(asked, athletes=2 * asked.athletes))
    assert twice.price > found.price
    assert twice.broker_in == pytest.approx(2 * found.broker_in)
