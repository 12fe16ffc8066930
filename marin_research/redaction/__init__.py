"""What a secret and what personal data look like. ``marin_research.redact`` is the way in."""
