"""Tests of ``sim``, one file each."""
