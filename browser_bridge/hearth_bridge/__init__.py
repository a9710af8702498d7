"""The browser's door: WebSocket bridge, native messaging host and extension."""
