"""The lab's Edge hosts: real Linux hosts booted with systemd-nspawn, and hosts that only speak to the controller."""
