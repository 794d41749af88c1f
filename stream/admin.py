"""Admin: make the topics of the contract, or say how those that exist differ from it."""

from __future__ import annotations

from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError

from stream.errors import BrokerUnavailable, TopicMismatch, TopicsMissing
from stream.topics import TOPICS, TopicSpec

#: A consumer of live records lets the broker hold back an answer so long while there is nothing new, ms. The embedded
#: one takes that at its word and looks again after half of it, so with Kafka's usual 500 records would be 0.1 s old.
FETCH_WAIT_MS: Final = 20


async def connect(bootstrap: str) -> AIOKafkaAdminClient:
    """An admin client; raises BrokerUnavailable with what to do."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
    try:
        await client.start()
    except (KafkaError, OSError) as error:
        await client.close()
        raise BrokerUnavailable(f"no Kafka broker answers at {bootstrap} ({error}); is it running?") from None
    return client


async def create_topics(bootstrap: str, partitions: int, replication: int = 1) -> list[str]:
    """Make the topics that are not there; gives their names. Existing ones are left and checked."""
    client = await connect(bootstrap)
    try:
        there = set(await client.list_topics())
        made = [spec for spec in TOPICS if spec.name not in there]
        new = [
            NewTopic(spec.name, partitions if spec.partitioned else 1, replication, topic_configs=spec.config)
            for spec in made
        ]
        if new:
            await _create(client, new)
    finally:
        await client.close()
    return [spec.name for spec in made]


async def _create(client: AIOKafkaAdminClient, new: list[NewTopic]) -> None:
    try:
        response = await client.create_topics(new)
    except TopicAlreadyExistsError:
        return  # somebody else made it in between; `check` says whether it is right
    for name, code, *message in response.topic_errors:
        if code not in (0, TopicAlreadyExistsError.errno):
            raise TopicMismatch(f"topic {name} could not be made: {message[0] if message else code}")


async def check_topics(bootstrap: str) -> tuple[int, list[str]]:
    """Partition count of the contract's topics, and in words what is wrong with retention and clean-up.

    Raises TopicsMissing, and TopicMismatch where partition counts differ: nothing can run on that.
    """
    client = await connect(bootstrap)
    try:
        described = {entry["topic"]: entry for entry in await client.describe_topics()}
        missing = [spec.name for spec in TOPICS if spec.name not in described]
        if missing:
            raise TopicsMissing(
                f"missing topics: {', '.join(missing)}; make them with `touchline topics create`"
            )
        counts = {s.name: len(described[s.name]["partitions"]) for s in TOPICS if s.partitioned}
        if len(set(counts.values())) > 1:
            listed = ", ".join(f"{name} {count}" for name, count in counts.items())
            raise TopicMismatch(f"partition counts differ: {listed}; all must have one count")
        return next(iter(counts.values())), await _differences(client)
    finally:
        await client.close()


async def _differences(client: AIOKafkaAdminClient) -> list[str]:
    wanted = [ConfigResource(ConfigResourceType.TOPIC, spec.name) for spec in TOPICS]
    found: dict[str, dict[str, Any]] = {}
    for response in await client.describe_configs(wanted):
        for resource in response.resources:
            found[resource[3]] = {entry[0]: entry[1] for entry in resource[4]}
    return [text for spec in TOPICS for text in _compare(spec, found.get(spec.name, {}))]


def _compare(spec: TopicSpec, found: dict[str, Any]) -> list[str]:
    return [
        f"{spec.name}: {key} is {found[key]}, should be {value}"
        for key, value in spec.config.items()
        if key in found and str(found[key]) != value
    ]
