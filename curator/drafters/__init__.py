"""What turns evidence into draft text. A drafter never writes a number of its own: it renders facts."""
