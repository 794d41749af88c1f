"""Tests of the readers of recorded files, and what they share."""
