"""Infer: windows per second through the forecast network, ours beside what TensorFlow and ONNX Runtime give.

The same weights, the same inputs, one thread each, one after the other in one process. Ours is what the worker calls:
fixed batch sizes, compiled, rows padded to them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.artefact import SHIPPED, find_artefact, load_artefact
from stream.errors import MissingError

Float32 = NDArray[np.float32]
Ask = Callable[[Sequence[Float32]], Sequence[Any]]
Tell = Callable[[str], None]

#: What is compared may differ by so much, relative to the largest answer: other orders of adding up.
SAME: Final = 1e-3


@dataclass(frozen=True, slots=True)
class InferConfig:
    """Batches of ``sizes`` windows; each contender is called for about ``seconds`` in each of ``runs``."""

    sizes: tuple[int, ...] = (1, 30, 256, 1024)
    seconds: float = 0.5
    runs: int = 5


def run_infer(config: InferConfig, tell: Tell) -> dict[str, Any]:
    """Measure; the JSON object of ``bench infer --json``. Raises MissingError without tf2onnx and onnxruntime."""
    from models.device import use_device  # noqa: PLC0415 (TensorFlow takes seconds to import)
    from models.restore import restore  # noqa: PLC0415

    device = use_device(threads=1)
    tell("preparing the contenders")
    model = restore(load_artefact(find_artefact(SHIPPED, "forecast")))
    contenders = _contenders(model, device)
    rng = np.random.default_rng(0)
    shapes = [tuple(given.shape[1:]) for given in model.inputs]
    inputs = {
        size: [rng.normal(size=(size, *shape)).astype(np.float32) for shape in shapes]
        for size in config.sizes
    }
    difference = _difference(contenders, inputs[config.sizes[-1]])
    took: dict[str, dict[int, list[float]]] = {name: {size: [] for size in inputs} for name in contenders}
    for size, given in inputs.items():
        for ask in contenders.values():
            ask(given)  # traces, compiles and allocates
        for run in range(config.runs):
            for name, ask in contenders.items():
                tell(f"{size} windows, run {run + 1} of {config.runs}: {name}")
                took[name][size].append(_seconds_a_call(ask, given, config.seconds))
    medians = {n: {size: statistics.median(s) for size, s in of.items()} for n, of in took.items()}
    ours = medians["touchline"]
    return {
        "device": device,
        "threads": 1,
        "windows_per_s": {n: {str(k): round(k / s) for k, s in of.items()} for n, of in medians.items()},
        "latency_ms": {n: {str(k): round(1e3 * s, 3) for k, s in of.items()} for n, of in medians.items()},
        "spread_ms": {
            n: {str(k): [round(1e3 * edge, 3) for edge in (min(s), max(s))] for k, s in of.items()}
            for n, of in took.items()
        },
        "ratio": {
            n: {str(k): round(of[k] / ours[k], 2) for k in ours}
            for n, of in medians.items()
            if n != "touchline"
        },
        "difference": difference,
        "runs": config.runs,
    }


def _contenders(model: Any, device: str) -> dict[str, Ask]:
    """By name: inputs to outputs, each in numpy."""
    from models.batched import Batched  # noqa: PLC0415 (see above)
    from models.engine import BATCH_SIZES  # noqa: PLC0415
    from models.lean import tf  # noqa: PLC0415

    sizes = BATCH_SIZES[device]
    ours = Batched(model, sizes)
    ours.warm_up()
    plain = tf.function(lambda given: model(given, training=False), reduce_retracing=True)
    return {
        "touchline": lambda given: ours(*given),
        "tf_function": lambda given: [out.numpy() for out in plain([tf.constant(a) for a in given])],
        "onnxruntime": _onnx(model),
        "model_predict": lambda given: model.predict(list(given), batch_size=len(given[0]), verbose=0),
    }


def _onnx(model: Any) -> Ask:
    try:
        import onnxruntime  # noqa: PLC0415 (only benchmarks use it)
        import tf2onnx  # noqa: PLC0415
    except ImportError:
        raise MissingError(
            "bench infer needs tf2onnx and onnxruntime: pip install 'touchline[dev]'"
        ) from None
    from models.lean import tf  # noqa: PLC0415

    names = [given.name for given in model.inputs]
    signature = [
        tf.TensorSpec((None, *given.shape[1:]), tf.float32, name=given.name) for given in model.inputs
    ]
    graph = tf.function(lambda *given: model(list(given), training=False), input_signature=signature)
    written, _ = tf2onnx.convert.from_function(graph, input_signature=signature, opset=17)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        written.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return lambda given: session.run(None, dict(zip(names, given, strict=True)))


def _difference(contenders: Mapping[str, Ask], given: Sequence[Float32]) -> float:
    """Largest difference of any contender's answers from ours, relative to our largest answer."""
    ours = [np.asarray(out) for out in contenders["touchline"](given)]
    furthest = 0.0
    for ask in contenders.values():
        for mine, theirs in zip(ours, ask(given), strict=True):
            furthest = max(
                furthest, float(np.abs(mine - np.asarray(theirs)).max() / max(1.0, np.abs(mine).max()))
            )
    assert furthest < SAME, "the contenders do not answer alike"
    return furthest


def _seconds_a_call(ask: Ask, given: Sequence[Float32], seconds: float) -> float:
    calls, began = 0, time.perf_counter()
    while (now := time.perf_counter()) < began + seconds or not calls:
        ask(given)
        calls += 1
    return (now - began) / calls if calls > 1 else time.perf_counter() - began
