# shellcheck shell=bash
# What scripts/demo does with the Kubernetes of the lab's cluster. Sourced after demo.sh.

# These come from scripts/demo and demo.sh; the versions are of the lab's provider, the oldest first.
# shellcheck disable=SC2034,SC2154

nodes=3 addresses=(10.42.0.11 10.42.0.12 10.42.0.13) node_port=30080
greeting='hello from' new_greeting='good morning from' of_site='store 42'

# Anew each time: a lab that was interrupted has its way to the cluster elsewhere.
fetch_kubeconfig() {
    ansible localhost -m palette.edge.cluster_info -a \
        "{\"name\": \"store-042\", \"kubeconfig_path\": \"$demo/kubeconfig\", \"kubeconfig_type\": \"proxy\"}" \
        </dev/null >"$logs/kubeconfig.log" 2>&1 || die "$(tail -n 3 "$logs/kubeconfig.log")"
}

# look_at_cluster VERSION: shows the nodes and the add-on's pods, and checks them.
look_at_cluster() {
    kubectl get nodes -o json >"$demo/nodes.json"
    kubectl get pods -n hello-edge -o json >"$demo/pods.json"
    say '$ kubectl get nodes'
    kubectl get nodes
    say '$ kubectl get pods -n hello-edge -o wide'
    kubectl get pods -n hello-edge -o wide
    # kubelet 1.20 takes up to a minute to tell that a pod has gone.
    ! grep -q deletionTimestamp "$demo/pods.json" || say "Terminating: pods of before, which no request reaches any more"
    check cluster "$demo/nodes.json" "$demo/pods.json" "$nodes" "$1"
}

kubectl() { "$PALETTE_LAB_KUBECTL" --kubeconfig "$demo/kubeconfig" --cache-dir "$demo/kubectl" --request-timeout 20s "$@"; }

# The site's copy with the next version of its profile. It stays: what was begun is gone on with.
upgraded_example() {
    [ ! -d "$demo/upgraded" ] || return 0
    rm -rf "$demo/upgraded.new"
    cp -R "${example%/*}" "$demo/upgraded.new"
    check change "$demo/upgraded.new/sites/store-042.yml" 1.0.0 1.1.0 "$greeting" "$new_greeting"
    mv "$demo/upgraded.new" "$demo/upgraded"
}

# The upgrade, with a client that asks the add-on all the while.
upgrade() {
    local client client_id
    upgraded_example
    rm -f "$demo/client.json"
    # Its input ends with this shell, however that ends.
    exec {client}> >(exec nsenter --net="/run/netns/$name" "$venv/bin/python" scripts/lib/demo_client.py \
        "$demo/client.json" "$node_port" "${addresses[@]}")
    client_id=$!
    say "client: asks port $node_port of ${addresses[*]} in turn, ten times a second"
    playbook upgrade "$demo/upgraded/stores.sites.yml" palette.edge.site
    figure "the upgrade of $nodes nodes"
    fetch_kubeconfig
    # The last old pods end within eight seconds: requests count until then.
    sleep 9
    exec {client}>&-
    wait "$client_id" || die "the client failed"
    look_at_cluster "$new_version"
    check none-lost "$demo/client.json" "$new_greeting $of_site" | tee "$demo/requests"
    figures+=("requests meanwhile: $(<"$demo/requests")")
}
