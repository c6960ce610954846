"""Compiling Kubernetes in a throw-away Debian root, so that the host needs no compiler and stays clean."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from kubo_sdk.model.release import KUBERNETES_BINARIES
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.releases.apart import apart, run
from kubo_sdk.releases.debian_archive import DebianArchive
from kubo_sdk.releases.debian_images import PAUSE_VERSION
from kubo_sdk.releases.protocol import Say

PACKAGES = (
    "busybox-static",
    "dpkg-dev",
    "file",
    "gcc",
    "golang-github-modern-go-reflect2-dev",
    "golang-go",
    "jq",
    "libc6-dev",
    "make",
    "rsync",
)

# Counts up when what comes out changes, so that what an older recipe made is not taken for it.
RECIPE = "3"

# No machine has Docker, and the clouds' own controllers live outside Kubernetes.  With them in, a kubelet waits five
# seconds for Docker at every start, and is twice as large.
BUILD_TAGS = "dockerless,providerless"

ETCD_CLIENT = "staging/src/k8s.io/apiserver/pkg/storage/storagebackend/factory/etcd3.go"

GO_PACKAGE = re.compile(r"[A-Za-z0-9_.~-]+(/[A-Za-z0-9_.~-]+)*")
REPORT_EVERY = 250

# The API server of a tree built as it is dies after a while: the reflect2 1.0.1 it carries does not work with
# Go >= 1.18, so Debian's own newer reflect2 takes its place.  Of the generated sources the package lacks only one.
# Before 1.23 the metrics of the API server's etcd client took the place of its retries (kubernetes/kubernetes#105069):
# a read whose member went away in that moment failed.  With chained interceptors there are both.
SCRIPT = """\
set -eu
cd /src
dpkg-source --extract kubernetes_*.dsc kubernetes
mkdir -p /go/src/k8s.io /out
mv kubernetes /go/src/k8s.io/kubernetes
cd /go/src/k8s.io/kubernetes
rm -r vendor/github.com/modern-go/reflect2
cp -rL /usr/share/gocode/src/github.com/modern-go/reflect2 vendor/github.com/modern-go/reflect2
for kind in Unary Stream; do
  sed -i "s/grpc.With${kind}Interceptor(/grpc.WithChain${kind}Interceptor(/" $ETCD_CLIENT
done
grep -q 'WithChainUnaryInterceptor(' $ETCD_CLIENT
export SOURCE_DATE_EPOCH=$(dpkg-parsechangelog --show-field Timestamp)
gcc -static -Os -s -Wall -DVERSION=$PAUSE_VERSION -o /out/pause build/pause/linux/pause.c
cp /bin/busybox /out/busybox
/bin/busybox --list > /out/applets
make gen_openapi
hack/make-rules/build.sh -v $COMMANDS
for command in $COMMANDS; do mv "$(readlink -f _output/bin)/${command#cmd/}" /out/; done
test "$(/out/kube-apiserver --version)" = "Kubernetes $KUBE_GIT_VERSION"
"""


def make_root(root: Path, archive: DebianArchive, *, log: Path) -> None:
    """Make a minimal Debian with everything the build needs."""
    command = [
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        f"--include={','.join(PACKAGES)}",
        f"--aptopt={archive.settings}",
        "--dpkgopt=force-unsafe-io",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        archive.suite,
        str(root),
        archive.mirror,
    ]
    run(apart(command), what="making the build root", log=log)


def compile_release(root: Path, version: KubernetesVersion, say: Say, *, log: Path) -> Path:
    """Compile the source package lying in ``/src`` of the root, without network; returns where the programs lie."""
    variables = {
        "CGO_ENABLED": "0",
        "COMMANDS": " ".join(f"cmd/{name}" for name in KUBERNETES_BINARIES),
        "ETCD_CLIENT": ETCD_CLIENT,
        "GO111MODULE": "off",
        "GOFLAGS": f"-tags={BUILD_TAGS}",
        "GOPATH": "/go",
        "HOME": "/root",
        "KUBE_GIT_VERSION": version.tag,
        "KUBE_GIT_MAJOR": str(version.major),
        "KUBE_GIT_MINOR": str(version.minor),
        "PAUSE_VERSION": PAUSE_VERSION,
    }
    mounts = 'mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && exec chroot "$1" sh -c "$2"'
    command = apart(["sh", "-c", mounts, "build", str(root), SCRIPT], network=False)
    run(command, what="compiling Kubernetes", log=log, variables=variables, on_line=_progress(version, say))
    return root / "out"


def _progress(version: KubernetesVersion, say: Say) -> Callable[[str], None]:
    """Counts the Go packages that the compiler names as it goes."""
    compiled = 0

    def on_line(line: str) -> None:
        nonlocal compiled
        if GO_PACKAGE.fullmatch(line):
            compiled += 1
            if compiled % REPORT_EVERY == 0:
                say(f"compiling Kubernetes {version}: {compiled} packages done")

    return on_line
