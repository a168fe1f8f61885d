#!/bin/sh
# Builds Kubernetes in a Debian root with Go, from the source package in /src: sh build.sh VERSION...
# Each version is the same source with another name in it, so only the first is compiled; the others are linked.
set -eu
export GO111MODULE=off GOPATH=/go GOCACHE=/go/cache CGO_ENABLED=0 GOFLAGS=-trimpath HOME=/root
export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# Without it, generators that are built with -trimpath do not find the standard library.
GOROOT=$(go env GOROOT)
export GOROOT
tree=/go/src/k8s.io/kubernetes
mkdir -p "$tree"
tar -C "$tree" --strip-components=1 -xzf /src/kubernetes_*.orig.tar.gz
cd "$tree"
# The one of the source crashes on maps when it is built with a Go as new as Debian's.
rm -rf vendor/github.com/modern-go/reflect2
cp -R /usr/share/gocode/src/github.com/modern-go/reflect2 vendor/github.com/modern-go/reflect2
# A generated file that the source package lacks.
go build -o /go/openapi-gen ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
packages=$(grep -RlE '^// *\+k8s:openapi-gen=true' --include='*.go' pkg vendor/k8s.io | xargs -n1 dirname | sort -u |
    sed 's,^,k8s.io/kubernetes/,' | paste -sd,)
/go/openapi-gen --logtostderr -i "$packages" -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi \
    -h hack/boilerplate/boilerplate.generatego.txt -r /go/report -o /go/src
for version in "$@"; do
    set --
    for package in client-go/pkg/version component-base/version; do
        for prefix in k8s.io k8s.io/kubernetes/vendor/k8s.io; do
            name=$prefix/$package
            set -- "$@" -X "$name.gitVersion=v$version" -X "$name.gitMajor=1" -X "$name.gitMinor=20"
            set -- "$@" -X "$name.gitTreeState=archive" -X "$name.buildDate=2021-01-13T00:00:00Z"
        done
    done
    mkdir -p "/out/$version"
    go build -v -tags providerless,dockerless -ldflags "-s -w $*" -o "/out/$version/" ./cmd/kubelet ./cmd/kubeadm \
        ./cmd/kubectl ./cmd/kube-apiserver ./cmd/kube-controller-manager ./cmd/kube-scheduler ./cmd/kube-proxy
done
gcc -Os -static -o /out/pause build/pause/linux/pause.c
