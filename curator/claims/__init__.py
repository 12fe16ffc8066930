"""Statements that a model may choose and only code may word: each kind names facts, is judged against them, and said.

A claim that the facts contradict is refused with the reason. Nothing here knows a model, a prompt or a file.
"""
