"""The live path: pure stages in the order data takes, and the processes they hang on.

Read the files in this order: ``errors settings records topics``, the stages
``decode align window features normalise infer score alert``, ``route`` (the stages
joined), ``agents`` (the route hung on Kafka), ``sinks``, ``web``, ``app`` (wiring).
"""
