"""Hearth in the tray: its icon and states, its menu, and a window where there is no tray."""
