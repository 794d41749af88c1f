"""The bodies of inference for the OpenAPI page. Reading them is done elsewhere, by hand: it has to say more."""

from __future__ import annotations

from typing import Any, Final

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
