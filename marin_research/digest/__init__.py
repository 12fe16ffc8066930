"""Condenses logs of any size: what went wrong, on which hosts, how training went; the index whole, the text bounded.

``index_of`` (``build``) reads streams into an ``Index`` (``index``), ``render`` (``text``) writes that down.
"""
