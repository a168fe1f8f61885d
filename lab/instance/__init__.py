"""One lab on this machine: its state directory, its processes, bringing it up and taking it down."""
