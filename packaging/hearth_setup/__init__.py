"""Sets Hearth up from a checkout. Standard library only: it runs before there is an environment."""
