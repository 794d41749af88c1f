"""The bodies of inference for the OpenAPI page. Reading them is done elsewhere, by hand: it has to say more."""

from __future__ import annotations

from typing import Any, Final

from stream.records import CHANNELS

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_SIZES: Final[Schema] = {"type": "array", "items": {"type": "integer"}}
_NESTED: Final[Schema] = {"type": "array", "items": {}, "description": "Numbers, in lists within lists."}
_ERROR: Final[Schema] = {"type": "object", "required": ["error"], "properties": {"error": _TEXT}}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _answer(description: str, schema: Schema) -> dict[int | str, Schema]:
    return {200: {"description": description, "content": _json(schema)}}


#: What every path may answer instead.
ERRORS: Final[dict[int | str, Schema]] = {
    status: {"description": description, "content": _json(_ERROR)}
    for status, description in {
        400: "Not an input of this network; the message names it",
        404: "No such model, version or label",
        405: "Another method is wanted",
        413: "Too many bytes or rows",
        415: "Not plain JSON",
        422: "No finite answer for these inputs",
        429: "Too many rows wait; see Retry-After",
        503: "Not warm, going, or the version is refused",
        504: "The deadline passed",
    }.items()
}

_TIMEOUT: Final[Schema] = {
    "name": "X-Request-Timeout-Ms",
    "in": "header",
    "required": False,
    "description": "How long the client waits, ms; nothing is computed for it after that.",
    "schema": {"type": "integer", "minimum": 0, "maximum": 999_999_999},
}


def _asked(schema: Schema) -> Schema:
    return {"requestBody": {"required": True, "content": _json(schema)}, "parameters": [_TIMEOUT]}


_ROWS: Final[Schema] = {"type": "array", "minItems": 1, "items": {"anyOf": [{"type": "object"}, _NESTED]}}
_COLUMNS: Final[Schema] = {
    "anyOf": [{"type": "object", "additionalProperties": _NESTED}, _NESTED],
    "description": "Input to its rows; a single input may go without its name.",
}

PREDICT: Final = _asked(
    {
        "type": "object",
        "properties": {"signature_name": _TEXT, "instances": _ROWS, "inputs": _COLUMNS},
        "oneOf": [{"required": ["instances"]}, {"required": ["inputs"]}],
    }
)
PREDICTED: Final = _answer(
    "Rows for rows, columns for columns",
    {"type": "object", "properties": {"predictions": _NESTED, "outputs": {}}},
)

EXPLAIN: Final = _asked(
    {
        "type": "object",
        "properties": {
            "instances": _ROWS,
            "inputs": _COLUMNS,
            "output": {"type": "string", "description": "Of the network; a single one may go without."},
            "index": _SIZES | {"description": "Place in that output; the mean of all places without one."},
            "baseline": {
                "type": "object",
                "additionalProperties": _NESTED,
                "description": "One row of each input that pushes are counted from; zeros without it.",
            },
        },
        "oneOf": [{"required": ["instances"]}, {"required": ["inputs"]}],
    }
)
_NUMBER: Final[Schema] = {"type": "number"}
EXPLAINED: Final = _answer(
    "By row how far each entry pushed the answer away from that of the baseline; pushes add up to the difference but "
    "for `gap`",
    {
        "type": "object",
        "required": ["model_version", "output", "index", "explanations"],
        "properties": {
            "model_version": _TEXT,
            "output": _TEXT,
            "index": {"anyOf": [_SIZES, {"type": "null"}]},
            "explanations": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["answer", "baseline", "gap", "pushes", "channels"],
                    "properties": {
                        "answer": _NUMBER,
                        "baseline": _NUMBER,
                        "gap": _NUMBER,
                        "pushes": {"type": "object", "additionalProperties": _NESTED},
                        "channels": {
                            "type": "object",
                            "additionalProperties": {"type": "object", "additionalProperties": _NUMBER},
                            "description": "Input to channel to its pushes added up.",
                        },
                    },
                },
            },
        },
    },
)

_TENSOR: Final[Schema] = {
    "type": "object",
    "required": ["name", "shape", "datatype", "data"],
    "properties": {
        "name": _TEXT,
        "shape": _SIZES,
        "datatype": {"type": "string", "enum": ["FP32"]},
        "data": _NESTED,
        "parameters": {"type": "object"},
    },
}
_NAMED: Final[Schema] = {"type": "object", "required": ["name"], "properties": {"name": _TEXT}}

INFER: Final = _asked(
    {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": _TEXT,
            "parameters": {"type": "object"},
            "inputs": {"type": "array", "items": _TENSOR},
            "outputs": {"type": "array", "items": _NAMED},
        },
    }
)
INFERRED: Final = _answer(
    "The outputs asked for",
    {
        "type": "object",
        "required": ["model_name", "model_version", "outputs"],
        "properties": {
            "id": _TEXT,
            "model_name": _TEXT,
            "model_version": _TEXT,
            "outputs": {"type": "array", "items": _TENSOR},
        },
    },
)

_FRAME: Final[Schema] = {
    "type": "object",
    "description": "A frame of docs/reference/encodings.md. `samples`: rows of numbers, null missing, or base64. "
    "`at_us`: when it came in, without it with its last sample; `venue`: it came over telemetry.venue.",
    "required": ["v", "athlete", "device", "session", "boot", "seq", "t0"],
    "properties": {
        "v": {"type": "integer", "enum": [1]},
        "athlete": _TEXT,
        "device": _TEXT,
        "session": _TEXT,
        "boot": {"type": "integer", "minimum": 0},
        "seq": {"type": "integer", "minimum": 0},
        "t0": {"type": "integer", "description": "Device time of the first sample, µs since 1970 UTC."},
        "end": {"type": "boolean"},
        "at_us": {"type": "integer"},
        "venue": {"type": "boolean"},
        **{
            group: {
                "type": "object",
                "required": ["rate", "channels", "samples"],
                "properties": {
                    "rate": {"type": "number"},
                    "channels": {"type": "array", "items": {"type": "string", "enum": list(channels)}},
                    "samples": {"anyOf": [{"type": "array"}, _TEXT]},
                },
            }
            for group, channels in CHANNELS.items()
        },
    },
}
_FRAMES: Final[Schema] = {"type": "array", "items": _FRAME}
_FRAMES_BODY: Final[Schema] = {
    "anyOf": [
        _FRAMES,
        {
            "type": "object",
            "required": ["frames"],
            "additionalProperties": False,
            "properties": {
                "frames": _FRAMES,
                "athletes": {
                    "type": "array",
                    "items": {"type": "object", "required": ["athlete"], "properties": {"athlete": _TEXT}},
                    "description": "Athlete records: profile, baselines, days; who is not here is anybody.",
                },
                "sessions": {
                    "type": "array",
                    "items": {"type": "object", "required": ["session"], "properties": {"session": _TEXT}},
                    "description": "Session records: activity.",
                },
                "models": {
                    "type": "object",
                    "additionalProperties": _TEXT,
                    "description": "Model to version or label; the one in service where none is named.",
                },
            },
        },
    ]
}

SCORE: Final[Schema] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _FRAMES_BODY},
            "application/msgpack": {
                "schema": _FRAMES_BODY
                | {
                    "description": "The same in msgpack, with samples as bytes; a frame may be its packed bytes."
                }
            },
        },
    },
    "parameters": [_TIMEOUT],
}
SCORED: Final = _answer(
    "Scores as on scores.live, and the frames that are in none",
    {
        "type": "object",
        "required": ["scores", "rejected", "models"],
        "properties": {
            "scores": {"type": "array", "items": {"type": "object"}},
            "rejected": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["frame", "reason", "detail"],
                    "properties": {"frame": {"type": "integer"}, "reason": _TEXT, "detail": _TEXT},
                },
            },
            "models": {"type": "object", "additionalProperties": _TEXT},
        },
    },
)
