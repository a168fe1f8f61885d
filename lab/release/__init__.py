"""The lab's own small imitation of a release of the vendor's agent for agent mode: for tests, and to try the role on a lab.

Written from what is known of the real one, its faults included; nothing of it is the vendor's. The program is a shell script
that lays down units and a few files; what an agent then does is done from outside by `lab/agent`.
"""
