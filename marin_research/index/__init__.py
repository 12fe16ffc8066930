"""Finds runs without reading them all: a local index of a record store, which may be thrown away at any time.

``snapshot`` keeps it as one checksummed file, ``tables`` says what of a run can be searched for, ``query`` searches,
``changes`` finds out what has changed in the store since.
"""
