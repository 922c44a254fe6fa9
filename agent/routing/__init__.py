"""Which provider, model and key a request goes to, and what follows when it fails. Pure: no clock, no socket."""
