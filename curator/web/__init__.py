"""The review in a browser: a page of this machine alone, for whoever holds the address that its program printed.

``app`` answers requests, ``guard`` says who may ask, ``view`` says what a page shows. The rules of approval are those
of ``curator.review``.
"""
