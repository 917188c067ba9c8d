#!/usr/bin/env bash
# Builds a real Kubernetes control plane for the tests: kube-apiserver and kube-controller-manager from Debian's source
# package `kubernetes`, compiled with Debian's Go 1.19, and Debian's etcd.
#
# What it does, and what it leaves alone:
#   - needs no root: packages are fetched and unpacked into the cache folder, nothing is installed, and no file of the
#     system is changed. apt's own lists are not touched either: it works on a private copy of the configured sources,
#     with source packages switched on;
#   - apt checks every file against the signed index of the distribution; nothing is fetched in any other way;
#   - builds at the lowest priority (about 5 minutes on two cores, 3 GB while it builds, 250 MB afterwards);
#   - ends at once when the cache has the result already. Remove the folder to build again.
#
# The result: ${XDG_CACHE_HOME:-~/.cache}/tenant-runtime/control-plane/<source version>/bin, and the link `current`.
set -euo pipefail

cache="${XDG_CACHE_HOME:-$HOME/.cache}/tenant-runtime/control-plane"
if [ -x "$cache/current/bin/kube-apiserver" ] && [ -x "$cache/current/bin/kube-controller-manager" ] &&
    [ -x "$cache/current/bin/etcd" ]; then
    echo "The control plane is there: $(readlink -f "$cache/current")"
    exit 0
fi

for tool in apt-get dpkg dpkg-source patch xz; do
    command -v "$tool" >/dev/null || {
        echo "$tool is missing: this script is for Debian and wants the packages dpkg-dev, patch and xz-utils." >&2
        echo "Elsewhere, name any control plane without nodes by TENANT_RUNTIME_TEST_KUBECONFIG." >&2
        exit 1
    }
done

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
rm -rf "$cache"/building.* # what a build that was killed has left
work="$(mktemp -d "$cache/building.XXXXXX")"
trap 'chmod -R u+w "$work" && rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$work"/{sources,lists/partial,archives/partial,packages,root,gopath/src/k8s.io,result/bin}

for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -f "$file" ] && sed -n 's/^deb /&/p; s/^deb /deb-src /p' "$file" >"$work/sources/$(basename "$file" .list).list"
done
for file in /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] && sed 's/^Types:.*/Types: deb deb-src/' "$file" >"$work/sources/$(basename "$file")"
done
apt() {
    apt-get -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/sources" \
        -o Dir::State::lists="$work/lists" -o Dir::Cache="$work" -o Dir::Cache::archives="$work/archives" \
        -o APT::Sandbox::User="$(id -un)" "$@"
}

echo "1/4 Fetching the source, the compiler and etcd"
apt update
cd "$work/packages"
apt download golang-1.19-go golang-1.19-src etcd-server
apt source --download-only kubernetes
version="$(sed -n 's/^Version: //p' kubernetes_*.dsc)"
upstream="$(sed -E 's/.*\+really//; s/-.*//' <<<"$version")"
case "$upstream" in
1.20.*) ;;
*)
    echo "This distribution has Kubernetes $upstream; the steps below are known to build 1.20 only." >&2
    exit 1
    ;;
esac

echo "2/4 Unpacking Kubernetes $upstream (Debian's $version)"
for package in *.deb; do
    dpkg --extract "$package" "$work/root"
done
# apt has verified the .dsc by the signed index; the uploader's own key need not be on this machine.
dpkg-source --no-check --extract kubernetes_*.dsc "$work/kubernetes"
ln -s "$work/kubernetes" "$work/gopath/src/k8s.io/kubernetes"

export GOROOT="$work/root/usr/lib/go-1.19" GOPATH="$work/gopath" GOCACHE="$work/gocache" GOTMPDIR="$work"
export GO111MODULE=off CGO_ENABLED=0 GOPROXY=off GOFLAGS=
go="nice -n 19 $GOROOT/bin/go"
cd "$work/gopath/src/k8s.io/kubernetes"

echo "3/4 Generating the API's own description (OpenAPI)"
$go build -o "$work/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
described() {
    find -L pkg vendor/k8s.io -name '*.go' -not -name 'zz_generated*' -not -path 'vendor/k8s.io/code-generator/*' \
        -not -path 'vendor/k8s.io/sample-apiserver/*' -not -path 'vendor/k8s.io/kube-openapi/*' \
        -exec grep -l '^// +k8s:openapi-gen=' {} + | xargs -n1 dirname | sort -u | sed 's|^|k8s.io/kubernetes/|'
}
nice -n 19 env PATH="$GOROOT/bin:$PATH" "$work/openapi-gen" --input-dirs "$(described | paste -sd,)" \
    --output-package k8s.io/kubernetes/pkg/generated/openapi --output-file-base zz_generated.openapi \
    --go-header-file hack/boilerplate/boilerplate.generatego.txt --report-filename /dev/null

echo "4/4 Compiling"
flags="-s -w -X k8s.io/component-base/version.gitVersion=v$upstream -X k8s.io/client-go/pkg/version.gitVersion=v$upstream"
flags="$flags -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=20"
$go build -ldflags "$flags" -o "$work/result/bin/" ./cmd/kube-apiserver ./cmd/kube-controller-manager
cp "$work/root/usr/bin/etcd" "$work/result/bin/etcd"
"$work/result/bin/kube-apiserver" --version

# In place at once or not at all: a build that is cut off leaves no half of a control plane.
rm -rf "${cache:?}/$version"
mv "$work/result" "$cache/$version"
ln -sfn "$version" "$cache/current"
echo "Built: $cache/$version"
