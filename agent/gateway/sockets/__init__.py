"""WebSockets where models are asked: frames, the two ways of a connection, and its turns, each an exchange."""
