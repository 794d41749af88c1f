"""Input that is not a live device: simulated bodies and sessions, recorded files, and their sending."""
