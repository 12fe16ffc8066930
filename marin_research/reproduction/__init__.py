"""Reproductions: a recorded run, run again as it was, under an experiment ID of its own, and compared.

``recipe`` says what that takes and ``worktree`` prepares it; ``asked`` tells the process that runs it what it is;
``steps`` (which knows Marin) picks the one step out of a script; ``verdict`` compares.
"""
