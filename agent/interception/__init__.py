"""The door: answers CONNECT, decides by host name which connections are ours to read, ends their TLS, and hands the
plain bytes to the gateway. Everything else is piped blindly, with the origin's own certificate.

mitmproxy is used here as a library and nowhere else (besides the top-level `addons`).
"""
