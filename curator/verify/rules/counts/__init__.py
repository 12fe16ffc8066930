"""The rule for counts: ``three of four seeds``, ``all runs failed``, ``only LR-003 improved``, ``16 chips``.

What is counted is a noun, a status or a comparison: its truth is asked of every run that the words cover. ``rule``
judges numerals, ``quantifiers`` judges all, none and only; ``nouns`` finds what is counted, ``predicates`` what is said
of it, ``runs`` and ``things`` know how many there are.
"""
