"""Who may ask, how often, and how much: everything before the gate, and nothing that knows of it.

- ``protocol`` bounds a connection before there is a request: request line, headers, and the time to send them.
- ``middleware`` does the rest, in this order: the peer behind trusted proxies, the host, the token, the rate, the body.
"""
