"""GitHub's REST API, as much of it as issues need, and where its pages are. Knows nothing of drafts."""
