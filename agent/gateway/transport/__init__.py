"""Upstream HTTP: `base` is the contract, `http1` our own client, `aio` the one for company proxies, `factory` chooses.

Transports move bytes. They follow no redirect, keep no cookie, decode no content coding and verify every certificate.
"""
