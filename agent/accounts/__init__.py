"""Virtual keys, budgets and limits: who may spend how much, reserved before a call and settled after it."""
