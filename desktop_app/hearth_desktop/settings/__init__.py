"""How Hearth behaves: every option of the backend, keys, sites, and what concerns this app alone."""
