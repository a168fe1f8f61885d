#!/usr/bin/env bash
# The lab's imitation of the vendor's program. What a test puts below /etc/palette-lab changes how it behaves.
set -e
version="@VERSION@"
state=/opt/spectrocloud/state
units=/etc/systemd/system

install_agent() {
    source=""
    config=""
    while [ $# -gt 0 ]; do
        case "$1" in
            --source) source=$2 ;;
            --config) config=$2 ;;
        esac
        shift 2
    done
    [ "$(id -u)" = 0 ] || { echo "palette-agent must be run as root"; exit 1; }
    echo "installing $version from $source"
    # In place of pulling an image.
    sleep "$(cat /etc/palette-lab/install-seconds 2> /dev/null || echo 0)"
    if [ -n "$config" ]; then
        head -n 1 "$config" | grep -qx "#cloud-config" || { echo "error: the user-data has no #cloud-config header"; exit 1; }
        mkdir -p /oem
        install -m 0600 "$config" /oem/90_custom.yaml
    fi
    mkdir -p "$state" /opt/spectrocloud/bin /opt/spectrocloud/logs /opt/spectrocloud/scripts
    install -m 0755 "$0" /opt/spectrocloud/bin/palette-agent
    uninstaller > /opt/spectrocloud/scripts/spectro-uninstall.sh
    chmod 0755 /opt/spectrocloud/scripts/spectro-uninstall.sh
    for name in start initramfs boot network bootstrap; do
        unit "Palette agent, $name" oneshot "/bin/true" > "$units/spectro-palette-agent-$name.service"
    done
    unit "Palette agent" simple "/opt/spectrocloud/bin/palette-agent run" > "$units/spectro-stylus-agent.service"
    systemctl daemon-reload
    systemctl --quiet enable spectro-palette-agent-{start,initramfs,boot,network,bootstrap}.service spectro-stylus-agent.service
    echo "$version" > "$state/version"
    if [ -n "$config" ] && grep -Eq '^ +reboot: true' "$config"; then
        systemctl reboot
    fi
}

unit() {
    remain=no
    [ "$2" != oneshot ] || remain=yes
    printf '[Unit]\nDescription=%s\nAfter=network.target\n[Service]\nType=%s\nRemainAfterExit=%s\nExecStart=%s\n' "$1" "$2" "$remain" "$3"
    printf '[Install]\nWantedBy=multi-user.target\n'
}

uninstaller() {
    cat << 'END'
@UNINSTALL@
END
}

run_agent() {
    touch /var/log/palette-agent.log
    cat /proc/sys/kernel/random/boot_id > "$state/running"
    echo "Palette agent $version runs"
    # What the lab's agent has to say reaches the journal by way of this file.
    exec tail -n 0 -F /var/log/palette-agent.log
}

case "$1" in
    install) shift; install_agent "$@" ;;
    run) run_agent ;;
    *) echo "usage: palette-agent install --source IMAGE [--config FILE] | run"; exit 2 ;;
esac
