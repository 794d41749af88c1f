"""The web process: pushes scores and alerts to browsers, serves history. It computes no score and writes no store."""
