"""A person's decisions: the card that asks for one, and the inbox that holds them."""
