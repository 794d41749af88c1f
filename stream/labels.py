"""Labels: which versions of a model have a role, as the registry has them and the topic ``models`` carries them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgpack
from pydantic import BaseModel, Field

from stream import topics
from stream.publish import Message
from stream.roster import checked

Number = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}$")]
Share = Annotated[float, Field(gt=0, le=1)]


@dataclass(frozen=True, slots=True)
class Labels:
    """Versions by role; ``share`` of the athletes is the canary's; ``moved_us`` wall clock of the last move."""

    stable: str
    canary: str | None = None
    shadow: str | None = None
    share: float = 0.0
    moved_us: int = 0


class _Versions(BaseModel, strict=True, extra="ignore"):
    stable: Number
    canary: Number | None = None
    shadow: Number | None = None


class _Record(BaseModel, strict=True, extra="ignore"):
    model: str
    labels: _Versions
    canary_share: Share | None = None
    moved_us: Annotated[int, Field(ge=0)] = 0


def check_labels(packed: Any) -> Labels:
    """A labels record. Raises ValueError with one line that says what is wrong with it."""
    record = checked(_Record, packed)
    of = record.labels
    if (of.canary is None) != (record.canary_share is None):
        raise ValueError("canary_share goes with a canary")
    return Labels(of.stable, of.canary, of.shadow, record.canary_share or 0.0, record.moved_us)


def labels_record(name: str, labels: Labels) -> dict[str, Any]:
    """The record of ``docs/reference/encodings.md``."""
    roles: Mapping[str, str | None] = {
        "stable": labels.stable,
        "canary": labels.canary,
        "shadow": labels.shadow,
    }
    return {
        "v": 1,
        "model": name,
        "labels": {role: version for role, version in roles.items() if version is not None},
        "canary_share": labels.share if labels.canary else None,
        "moved_us": labels.moved_us,
    }


def labels_message(name: str, labels: Labels) -> Message:
    """The record as it goes out, by the model's name."""
    return Message(topics.MODELS, None, name.encode(), msgpack.packb(labels_record(name, labels)))
