#!/usr/bin/env bash
# The lab's imitation of the vendor's script: removes what the lab's imitation of the agent laid down.
systemctl disable --now spectro-init.service spectro-stylus-agent.service \
    spectro-palette-agent-{start,initramfs,boot,network,bootstrap}.service > /dev/null 2>&1
rm -f /etc/systemd/system/spectro-*.service /etc/systemd/system/*.wants/spectro-*.service
rm -rf /opt/spectrocloud /oem /var/lib/spectro /etc/spectro /var/log/palette-agent.log
systemctl daemon-reload
echo "agent mode was removed"
