"""Announce: tell the workers, over the topic ``models``, which versions of a model have a role now."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

from stream.errors import BrokerUnavailable
from stream.labels import Labels, labels_message
from touchline.fleet import labels_of


def announce(broker: str, root: Path, name: str) -> Labels:
    """Send a model's labels as they are on disk. Raises BrokerUnavailable; on disk they have moved all the same."""
    labels = labels_of(root, name)
    try:
        asyncio.run(_send(broker, name, labels))
    except KafkaConnectionError as error:
        raise BrokerUnavailable(
            f"the label has moved, but no broker at {broker} to tell the workers: {error}; once there is one, "
            f"`touchline models promote {name} {labels.stable} --broker …` moves nothing and tells them"
        ) from None
    return labels


async def _send(broker: str, name: str, labels: Labels) -> None:
    message = labels_message(name, labels)
    producer = AIOKafkaProducer(bootstrap_servers=broker, acks="all")
    await producer.start()
    try:
        await producer.send_and_wait(message.topic, message.value, key=message.key)
    finally:
        await producer.stop()
