"""The device that networks run on: a GPU where TensorFlow sees one; training uses all there are."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from models.lean import tf

log = logging.getLogger(__name__)


def use_device(threads: int | None = None) -> str:
    """Take a GPU where TensorFlow sees one: ``"GPU"`` or ``"CPU"``. Memory grows as needed."""
    gpus = tf.config.list_physical_devices("GPU")
    try:
        if threads is not None:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
        for gpu in gpus:  # UNVERIFIED: never ran on a GPU
            tf.config.experimental.set_memory_growth(gpu, True)
    except RuntimeError:
        log.info("TensorFlow was in use already: threads and memory growth stay as they are")
    return "GPU" if gpus else "CPU"


def gpu_bytes() -> int:
    """Memory that TensorFlow holds on the first GPU, bytes. Only where there is one (UNVERIFIED: never ran there)."""
    return int(tf.config.experimental.get_memory_info("GPU:0")["current"])


def strategy() -> Any:
    """How training is spread over devices: None where there is one, else in equal parts over all of the best kind."""
    for kind in ("GPU", "CPU"):
        devices = [device.name for device in tf.config.list_logical_devices(kind)]
        if devices:
            break
    return tf.distribute.MirroredStrategy(devices) if len(devices) > 1 else None


def placed(over: Any) -> AbstractContextManager[Any]:
    """Where networks to train with a strategy (see above) are built."""
    return nullcontext() if over is None else over.scope()
