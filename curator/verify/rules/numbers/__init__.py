"""The rule for numerals: each must be a number that the facts know, of the run and metric it is said of, in its role.

``rule`` judges; ``statement`` is one numeral in its sentence; ``names`` finds the metrics it may be of; ``costs`` says
how far-fetched it is that it means some quantity; ``bounds`` and ``factors`` judge numerals that state no value;
``objections`` words what is wrong.
"""
