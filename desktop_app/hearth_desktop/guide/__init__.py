"""The first five minutes: what was found, the best next step, and how each can be skipped."""
