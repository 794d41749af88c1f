"""Processes as ours want them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

#: Eight threads that take memory at the same time; what glibc then says of its heaps goes into a file.
THREADS = """
import ctypes, sys, threading
from stream.driver import share_one_heap

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.fopen.restype = ctypes.c_void_p
if sys.argv[2] == "one":
    share_one_heap()
together = threading.Barrier(8)

def take():
    libc.malloc(100_000)
    together.wait()

threads = [threading.Thread(target=take) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
file = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
"""


def heaps(path: Path, how: str) -> int:
    """Heaps that glibc has after the threads."""
    subprocess.run([sys.executable, "-c", THREADS, str(path), how], check=True)
    return len(ET.parse(path).findall("heap"))


@pytest.mark.skipif(sys.platform != "linux", reason="heaps are glibc's")
def test_threads_share_one_heap(tmp_path: Path) -> None:
    assert heaps(tmp_path / "many.xml", "many") > 1
    assert heaps(tmp_path / "one.xml", "one") == 1
