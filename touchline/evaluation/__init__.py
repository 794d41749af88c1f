"""Judge stored versions on files as the design defines it. Trains nothing but the baselines beside them."""
