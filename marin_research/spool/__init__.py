"""Records on their way to a store that is far away. The experiment never waits for that store.

What is recorded goes to a folder of this machine (``folder``), synced, and counts as kept; another process, which
outlives the experiment, sends it (``upload``). Whoever reads sees both (``objects``). What must be the only one of its
kind, such as an experiment ID, is asked of the store itself, for as long as a launch has patience (``patience``);
``store`` says what happens when it does not answer.
"""
