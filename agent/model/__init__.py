"""Values that travel between the rooms: frozen, without behaviour beyond what they mean. No input or output here."""
