"""Small sessions that several tests of ``sim`` read."""

from __future__ import annotations

from typing import Any, Final

import msgpack
import numpy as np

from sim.delivery import Delivery, Session
from sim.sessions import Second, SessionConfig, simulate_seconds, simulate_session
from sim.squad import draw_squad
from stream import topics

START_US: Final = 1_760_000_000_000_000
SECOND_US: Final = 1_000_000


def simulate(seed: int = 0, **config: Any) -> Session:
    """A session of two athletes and three seconds unless told otherwise."""
    defaults: dict[str, Any] = {"athletes": 2, "seconds": 3, "start_us": START_US, "seed": seed}
    return simulate_session(SessionConfig(**(defaults | config)), np.random.default_rng(seed))


def truth(seed: int = 0, **config: Any) -> list[Second]:
    """The truth of a session, every second of it, without frames."""
    rng = np.random.default_rng(seed)
    wanted = SessionConfig(**({"athletes": 2, "seconds": 3, "start_us": START_US} | config))
    return list(simulate_seconds(wanted, draw_squad(wanted.athletes, rng), rng))


def frame(delivery: Delivery) -> dict[str, Any]:
    """The unpacked frame."""
    return dict(msgpack.unpackb(delivery.value))


def wearable(deliveries: list[Delivery]) -> list[Delivery]:
    """Only what athletes' devices sent."""
    return [delivery for delivery in deliveries if delivery.topic == topics.WEARABLE]
