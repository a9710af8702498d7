"""Being the one tray of this home, or handing the wish to the one there is. Only `arrivals` needs Qt."""
