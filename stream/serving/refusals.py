"""Why a request to the model service is not answered, each with its HTTP status. ``app`` turns it to JSON.

RequestRefused (stream.errors)
├── BadInput          400  what was sent cannot be an input of this network; the message names which and why
├── UnknownModel      404  no such model, version or label
├── TooLarge          413  more bytes or more rows than one request may have
├── NotJson           415  a body in another encoding
├── NotFinite         422  the network has no finite answer for these inputs
├── QueueFull         429  more rows wait than may
├── NetworkFailed     500  the network itself failed: a fault of ours
├── NotReady          503  not warm yet, shutting down, or the version is refused
└── DeadlinePassed    504  the time the client gives was over first
"""

from __future__ import annotations

from stream.errors import RequestRefused


class BadInput(RequestRefused):
    """The input named in the message cannot be used."""


class UnknownModel(RequestRefused):
    """Not here; the message says what is."""

    status = 404
    outcome = "unknown"


class TooLarge(RequestRefused):
    """Send it in smaller parts."""

    status = 413


class NotJson(RequestRefused):
    """Only plain JSON is read."""

    status = 415


class NotFinite(RequestRefused):
    """Finite inputs, but so far out of range that the answer is no number."""

    status = 422


class QueueFull(RequestRefused):
    """Come back later."""

    status = 429
    outcome = "queue_full"
    retry_after_s = 1


class NetworkFailed(RequestRefused):
    """The log has the cause."""

    status = 500
    outcome = "failed"


class NotReady(RequestRefused):
    """Another process may be; this one may be soon."""

    status = 503
    outcome = "not_ready"
    retry_after_s = 1


class DeadlinePassed(RequestRefused):
    """Not computed, or too late to be of use."""

    status = 504
    outcome = "deadline"
