"""The chat window: threads of all doors, answers as they come, their sources."""
