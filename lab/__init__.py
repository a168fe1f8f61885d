"""A small Palette for one machine: a controller and Edge hosts that register with it."""
