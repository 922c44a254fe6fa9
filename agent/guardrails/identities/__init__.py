"""Whether something that looks like personal data is some, one module for each kind of data.

Each function judges a span and, where it helps, the text right before it. What developers handle all day is let pass:
test cards, documentation addresses, noreply mailboxes, numbers reserved for fiction. Pure, and cheap for what is
rejected: a text may hold a hundred thousand candidates.
"""
