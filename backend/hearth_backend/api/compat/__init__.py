"""Doors shaped like other people's: any client, same brain."""
