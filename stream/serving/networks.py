"""The networks of the service as the engine that the stages ask."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stream.infer import Performed
from stream.serving import metrics
from stream.serving.network import Arrays, Float32, Network
from stream.serving.refusals import BadInput


@dataclass(frozen=True, slots=True)
class Forecast:
    """See :class:`stream.infer.Forecast`."""

    heart_rate: Float32
    speed: Float32
    yaw_rate: Float32
    acceleration: Float32
    bands: Float32


class Networks:
    """A network for each model. Called in the thread for networks; times and rows are counted as for other requests.

    Raises BadInput for a version that was made for other stages than these.
    """

    def __init__(self, networks: Mapping[str, Network]) -> None:
        for network in networks.values():
            if network.misfit is not None:
                raise BadInput(network.misfit)
        self._networks = networks
        self.versions = {name: network.version for name, network in networks.items()}
        quantiles, *_ = networks["performance"].outputs
        about = [tensor.about for tensor in networks["injury"].outputs]
        self.today_helps = any(entry.get("today_helps", False) for entry in about)
        self.quantile_levels: tuple[float, ...] = tuple(quantiles.about["levels"])

    def forecast(self, x: Float32, anchor: Float32, earlier: Float32) -> Forecast:
        """As :meth:`stream.infer.Engine.forecast`."""
        found = self._run("forecast", {"x": x, "anchor": anchor, "earlier": earlier})
        median = found["median"]
        return Forecast(median[:, 0], median[:, 1], median[:, 2], found["acceleration"], found["bands"])

    def performance(self, effort: Float32, static: Float32) -> tuple[Float32, Float32]:
        """As :meth:`stream.infer.Engine.performance`."""
        found = self._run("performance", {"effort": effort, "static": static})
        return found["quantiles"], found["usual"][:, 0]

    def injury(self, days: Float32) -> Float32:
        """As :meth:`stream.infer.Engine.injury`."""
        return self._run("injury", {"days": days})["probability"]

    def injury_pushes(self, days: Float32, ordinary: Float32) -> Float32:
        """As :meth:`stream.infer.Engine.injury_pushes`."""
        network = self._networks["injury"]
        (members,) = network.outputs[0].shape
        mean = np.full(members, 1 / members)
        return network.explain({"days": days}, {"days": ordinary}, "probability", mean).pushes["days"]

    def performance_pushes(
        self,
        given: Performed,
        ordinary: Performed,  # noqa: ARG002 (the protocol's)
    ) -> tuple[Float32, ...]:
        """Unknown: only alerts tell them, and none are sent from here."""
        return tuple(np.full(np.shape(a), np.nan, np.float32) for a in given)

    def _run(self, name: str, inputs: Arrays) -> Arrays:
        network = self._networks[name]
        begin = time.perf_counter()
        outputs = network(inputs)
        labels = (name, network.version)
        metrics.COMPUTE_SECONDS.labels(*labels).observe(time.perf_counter() - begin)
        metrics.BATCH_ROWS.labels(*labels).observe(len(next(iter(inputs.values()))))
        return outputs
