"""What Palette's agent does on an Edge host, done from outside of it."""
