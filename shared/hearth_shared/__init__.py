"""What all of Hearth's programs have in common; imports nothing of ours."""
