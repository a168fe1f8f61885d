# shellcheck shell=bash
# The steps of scripts/demo. Sourced after base.sh, with the repository's root as the working directory.

# name, keep, states, speak_only and only_down come from scripts/demo.
# shellcheck disable=SC2034,SC2154

demo_begin() {
    demo=$PWD/.cache/demo
    state=$PWD/.lab
    if [ "$1" != palette-lab ]; then
        demo=$PWD/.cache/demo-$1
        state=$demo/lab
    fi
    logs=$demo/logs
    example=examples/stores/stores.sites.yml
    number=0
    current='' done_with_success='' kubernetes='' continued='' figures=()
    mkdir -p "$logs"
    trap 'exit 130' INT TERM
    trap ended EXIT
    # Settings of whoever runs this are not part of what is shown.
    local variable
    for variable in $(compgen -e); do
        case $variable in
            ANSIBLE_* | PALETTE_* | SPECTROCLOUD_* | PYTHONPATH) unset "$variable" ;;
        esac
    done
    export ANSIBLE_CONFIG=$PWD/scripts/lib/ansible.cfg ANSIBLE_HOME=$PWD/.cache/ansible-home
    export ANSIBLE_COLLECTIONS_PATH=$demo/collections LC_ALL=C.UTF-8
    # A controller that is gone is not waited for as long as a Palette account would be.
    export PALETTE_RETRY_TIMEOUT=30
}

step() {
    number=$((number + 1))
    current=$1 began=$SECONDS
    printf '\n== %3d s == %d. %s\n' "$SECONDS" "$number" "$1"
}

# figure WORDS: keeps how long the current step took, of which an earlier run may have done a part.
figure() { figures+=("${continued:+the rest of }$1: $((SECONDS - began)) s"); }

finished() {
    done_with_success=yes
    [ ${#figures[@]} -eq 0 ] || printf '\nFigures:\n'
    [ ${#figures[@]} -eq 0 ] || printf '  %s\n' "${figures[@]}"
    printf '\n== %3d s == done\n' "$SECONDS"
}

# On whatever way the demo ends: when it did not come through, says where and how to go on.
ended() {
    local status=$?
    trap - EXIT
    [ -z "$done_with_success" ] && [ -n "$current" ] || exit "$status"
    [ "$status" -ne 130 ] || complain "interrupted"
    {
        echo
        echo "== $SECONDS s == not finished, in step $number: $current"
        if [ -f "$state/lab.json" ]; then
            echo "The lab is still there, as it was then:"
            echo "  $(lab_command) status"
            echo "  logs: ${state#"$PWD"/}/controller.log, ${state#"$PWD"/}/hosts.log and ${logs#"$PWD"/}/"
            echo "To go on:         $(demo_command)"
            echo "To take it down:  $(demo_command --down)"
        else
            echo "To try again: $(demo_command)"
        fi
    } >&2
    exit "$((status ? status : 1))"
}

demo_command() {
    local words="scripts/demo"
    [ "$name" = palette-lab ] || words+=" --name $name"
    [ -z "$keep" ] || [ $# -gt 0 ] || words+=" --keep"
    [ -z "$states" ] || [ $# -gt 0 ] || words+=" --states"
    [ -z "$speak_only" ] || [ $# -gt 0 ] || words+=" --speak-only"
    echo "$words${*:+ $*}"
}

lab_command() {
    local words="${venv#"$PWD"/}/bin/python -m lab"
    [ "$name" = palette-lab ] && echo "$words" || echo "PALETTE_LAB_STATE=${state#"$PWD"/} $words"
}

lab() { "$venv/bin/python" -m lab "$1" --state "$state" --name "$name" "${@:2}"; }

check() { "$venv/bin/python" scripts/lib/demo_checks.py "$@"; }

prepare() {
    local python
    python=$(need_python)
    [ "$(id -u)" != 0 ] || install_packages "${lab_packages[@]}" || true
    venv=$("$python" scripts/lib/environments.py)
    export PATH=$venv/bin:$PATH
    [ -n "$only_down" ] || say "installed: $(python scripts/lib/collection.py install "$demo/collections")"
}

start_lab() {
    local missing status=0
    if [ -e "$state" ]; then
        continued=yes
    else
        rm -rf "$demo/upgraded"
        residue before "$demo/machine"
    fi
    if [ -z "$speak_only" ]; then
        missing=$(lab check 2>&1) || status=$?
        # 3: the machine cannot boot hosts. Anything else is a fault of the lab itself.
        case $status in
            0) ;;
            3)
                speak_only=yes
                say "This machine cannot boot the lab's hosts:"
                say "$missing" ;;
            *) die "$missing" ;;
        esac
    fi
    if [ -n "$speak_only" ]; then
        say "The hosts only speak to the controller, so the steps over SSH (phase configure) are skipped."
    fi
    local how=(--kubernetes auto)
    [ -z "$states" ] || how=(--kubernetes none)
    [ -z "$speak_only" ] || how=(--speak-only)
    lab up --config lab/examples/stores.yml "${how[@]}"
    eval "$(lab env)"
    if [ -n "${PALETTE_LAB_KUBERNETES:-}" ] && [ -n "${PALETTE_LAB_KUBECTL:-}" ]; then
        kubernetes=yes
        old_version=${PALETTE_LAB_KUBERNETES%% *} new_version=${PALETTE_LAB_KUBERNETES##* }
    elif [ -z "$states" ]; then
        say "Without a Kubernetes: $(lab status --json | check field kubernetes)."
    fi
    [ ! -d "$demo/upgraded" ] || say "The upgrade was begun already, so the steps before it are skipped."
}

# playbook LOG INVENTORY PLAYBOOK [ARGUMENT...]: runs it on the site store-042, showing and keeping its output.
playbook() {
    local log=$logs/$1.log
    # Hosts that only speak to the controller: the role names the steps over SSH that it leaves out.
    ansible-playbook -i "$2" --limit store_042 -e @scripts/lib/demo_waits.yml \
        ${kubernetes:+-e @lab/examples/kubernetes.yml} ${speak_only:+-e site_configuration_over_ssh=false} "${@:3}" </dev/null 2>&1 | tee "$log"
}

changed_example() {
    rm -rf "$demo/changed"
    cp -R "${example%/*}" "$demo/changed"
    check change "$demo/changed/sites/store-042.yml" north south pool.ntp.org ntp.example.com
}

# Leaves a file to source and one for ssh, so that what is printed can be typed as it is.
look_around() {
    local settings=${demo#"$PWD"/}/env config=${demo#"$PWD"/}/ssh_config described=$example
    [ -z "$kubernetes" ] || described=${demo#"$PWD"/}/upgraded/${example##*/}
    cat >"$settings" <<TEXT
eval "\$(cd $(printf %q "$PWD") && $(printf %q "$venv")/bin/python -m lab env --state $(printf %q "$state"))"
export PATH=$(printf %q "$venv")/bin:\$PATH
export ANSIBLE_COLLECTIONS_PATH=$(printf %q "$ANSIBLE_COLLECTIONS_PATH") ANSIBLE_CONFIG=$(printf %q "$ANSIBLE_CONFIG")
TEXT
    [ -z "$kubernetes" ] || cat >>"$settings" <<TEXT
export KUBECONFIG=$(printf %q "$demo/kubeconfig")
kubectl() { "\$PALETTE_LAB_KUBECTL" "\$@"; }
TEXT
    say "Look around with"
    say "  . $settings"
    say "  ansible-inventory -i $described --graph"
    say "  ansible-playbook palette.edge.fleet -i $described --limit 'palette_sites:&store_042'"
    if [ -z "$speak_only" ]; then
        ssh_config >"$config"
        say "  ssh -F $config 10.42.0.11"
    fi
    if [ -n "$kubernetes" ]; then
        say "  kubectl get nodes -o wide"
        say "  kubectl get pods -A"
        say "  nsenter --net=/run/netns/$name curl http://${addresses[0]}:$node_port/"
        say "  ansible-playbook palette.edge.site -i $described --limit store_042 -e @lab/examples/kubernetes.yml -e @scripts/lib/demo_waits.yml"
    fi
    say "and take it down with: $(demo_command --down)"
}

# The way to the hosts that Ansible has from the lab, as a configuration of ssh.
ssh_config() {
    local word words
    eval "words=($ANSIBLE_SSH_COMMON_ARGS)"
    printf 'User %s\nIdentityFile %s\n' "$ANSIBLE_REMOTE_USER" "\"$ANSIBLE_PRIVATE_KEY_FILE\""
    for word in "${words[@]}"; do
        [ "$word" = -o ] || printf '%s %s\n' "${word%%=*}" "${word#*=}"
    done
}

take_down() {
    local left
    residue processes "$name" "$demo/processes"
    lab down --purge
    left=$(residue left "$name" "$state" "$demo/machine" "$demo/processes") || die "the lab left something behind:
$left"
    rm -rf "$demo/upgraded" "$demo/processes" "$demo/machine" "$demo/kubeconfig" "$demo/kubectl"
    say "nothing of it is left: no process, mount, network namespace or control group, and the machine's settings are as before"
}

residue() { "$venv/bin/python" scripts/lib/demo_residue.py "$@"; }
