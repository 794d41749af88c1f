"""Tests of stream/web, one file a module."""
