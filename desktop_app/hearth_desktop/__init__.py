"""The tray application: chat, approvals and settings in Qt."""
