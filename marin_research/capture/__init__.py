"""What a step or a command prints, kept while it is printed and whatever becomes of the process.

Empty on purpose: the sidecar is started for every program that records and loads only what it needs.
"""
