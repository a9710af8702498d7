"""How the tray app speaks with the backend: Qt's network classes in the GUI thread, and no other thread."""
