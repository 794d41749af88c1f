"""Tests of ``stream/sinks``."""
