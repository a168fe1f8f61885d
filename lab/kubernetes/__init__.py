"""A real Kubernetes on the lab's hosts: what Palette's agent does on a host when it is part of a cluster."""
