"""Where scores and alerts go: one contract, SQLite and InfluxDB behind it, and the app that fills them."""
