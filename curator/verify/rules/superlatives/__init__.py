"""The rule for superlatives over a sweep: best, lowest, fastest, second-best, the two best, the largest learning rate.

``phrase`` is one superlative as it is written, ``scope`` says of which metric, of whom and among which runs it is said,
``rule`` judges it.
"""
