"""Snapshots: an annotated tag, its commit and the repro bundle.

The bundle is a folder of the record store; the tag's message names its checksum. Everything can be done again after a
crash at any point: what is there already is left as it is, and what says something else is never replaced.
"""
