"""Every error Touchline raises on purpose, drawn as a tree. This file must not import anything of ours.

TouchlineError
├── UsageError            the caller asked for something that cannot be         exit 2
│   └── SettingsError     an unknown key or a value out of range
├── MissingError          a dependency, file or server is not there             exit 3
│   ├── BrokerUnavailable
│   ├── StoreUnavailable
│   └── ModelMissing
├── TopicMismatch         topics are not as the contract wants them             exit 1
│   └── TopicsMissing     some are not there at all
├── ModelRefused          a model version is damaged, not signed by a trusted key, or answers wrong  exit 1
├── RequestRefused        a request to the model service is not answered; carries its HTTP status
├── UnreadableFile        a recording that no reader understands                exit 2
└── FrameRejected         one frame is not acceptable; carries the named reason (never ends a process)
"""

from __future__ import annotations


class TouchlineError(Exception):
    """Root of the tree. ``exit_code`` is what the command line ends with."""

    exit_code = 1


class UsageError(TouchlineError):
    """The request itself is wrong."""

    exit_code = 2


class SettingsError(UsageError):
    """A setting is unknown or out of range."""


class MissingError(TouchlineError):
    """Something needed is not there; the message says how to get it."""

    exit_code = 3


class BrokerUnavailable(MissingError):
    """No Kafka broker answers at the address given."""


class StoreUnavailable(MissingError):
    """The store cannot be written now. The sink waits and tries again."""


class ModelMissing(MissingError):
    """A model directory or one of its files is not there or is not readable."""


class ModelRefused(TouchlineError):
    """A model version may not be used; the message names the file and what is wrong with it."""


class TopicMismatch(TouchlineError):
    """A topic's partitions, retention or clean-up differ from the contract."""


class TopicsMissing(TopicMismatch):
    """Topics of the contract are not there; `touchline topics create` makes them."""


class UnreadableFile(UsageError):
    """A recording could not be read; the message names the file and the reason."""


class RequestRefused(TouchlineError):
    """A request to the model service is not answered. The kinds stand in :mod:`stream.serving.refusals`."""

    status = 400
    #: What the metrics call it.
    outcome = "invalid"
    #: When it is worth asking again, s; None where it never is.
    retry_after_s: int | None = None


class FrameRejected(TouchlineError):
    """One frame is refused.

    ``reason`` is one of :data:`stream.records.REJECT_REASONS`; ``detail`` is for people.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
