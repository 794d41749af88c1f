"""Which athletes a canary scores: by a stable hash of the name, so that an athlete keeps their version. Pure.

Every worker comes to the same answer without asking another, today and after a restart. Python's own ``hash`` would
not: it differs from process to process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Bits of a hash that a float64 holds exactly.
BITS: Final = 53


def canary_athletes(names: Sequence[str], share: float, salt: str) -> NDArray[np.bool_]:
    """Which of ``names`` the canary scores, ``(names,)``.

    Whoever is in stays in as ``share`` (0 to 1) rises. ``salt``, say ``MODEL/VERSION``, lets the next canary fall on
    other athletes. Raises ``ValueError`` for a share outside.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"a share is between 0 and 1, not {share}")
    return places(names, salt) < share


def places(names: Sequence[str], salt: str) -> NDArray[np.float64]:
    """Where names lie in [0, 1), ``(names,)``: uniform, the same everywhere, other for another salt."""
    seeded = hashlib.blake2b(salt.encode(), digest_size=8)
    digests = bytearray()
    for name in names:
        hashed = seeded.copy()
        hashed.update(b"\0" + name.encode())
        digests += hashed.digest()
    whole = np.frombuffer(digests, ">u8") >> np.uint64(64 - BITS)
    return whole.astype(np.float64) * 2.0**-BITS
