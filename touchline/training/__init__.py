"""Training of the shipped models: data cut by the serving stages, honest splits, figures for the cards.

One module a model with one function that trains, judges and saves; gradients themselves are taken in ``models``.
"""
