"""The gateway: the one place of enforcement. Every exchange, by whichever door it came, is routed, inspected,
forwarded and recorded here.

`server` attaches connections, `app` takes requests, `exchange` carries one there and `answers` back, `transport` speaks
to upstreams, `routing` says where to, `ledger` keeps the book.
"""
