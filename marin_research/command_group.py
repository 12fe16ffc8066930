"""The experiment ID of a recorded command on the W&B runs that it starts: as their group, in a variable W&B reads.

A group, because a command may start several runs, or resume one. Of a run that is resumed, W&B replaces whatever the
environment says, and people edit names, tags and notes on its page; the group of a retry is what it was before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

RUN_VARIABLE = "MARIN_RESEARCH_RUN"
"""Tells a recorded command the experiment ID and the attempt it runs under: ``KER-004/2``."""
_GROUP = "WANDB_RUN_GROUP"
_OF_ONE_RUN = ("WANDB_RUN_ID", "WANDB_RESUME")
"""Who sets these means a certain run, which may be in a group already."""


def group_variable(run_id: str, environ: Mapping[str, str]) -> dict[str, str]:
    """What is added to a command's environment; nothing where its user has said which group or which run."""
    own = [name for name in (_GROUP, *_OF_ONE_RUN) if name in environ and not is_our_group(name, environ)]
    return {} if own else {_GROUP: run_id}


def is_our_group(name: str, environ: Mapping[str, str]) -> bool:
    """Whether a variable was not set by the user but by the recorded command around this program."""
    around = environ.get(RUN_VARIABLE, "").partition("/")[0]
    return name == _GROUP and around == environ[name] != ""
