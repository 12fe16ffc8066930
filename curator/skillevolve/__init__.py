"""SkillEvolve: its API as a typed client, the work memory it documents, and what our drafts for it look like."""
