"""What the pages and apps of ChatGPT speak: their requests, their answers, their refusals.

`content` knows what of a message is text, `delta` the encoding in which answers come (also over WebSockets), `reader`
the events of a stream, `pages` the words of our own, `web` and `draft` are the dialects.
"""
