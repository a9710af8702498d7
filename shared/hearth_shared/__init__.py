"""What all of Hearth's programs have in common; imports nothing of ours."""

__version__ = "0.1.0"
