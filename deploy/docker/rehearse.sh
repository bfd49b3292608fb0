#!/usr/bin/env bash
# Go through the image's steps where there is no Docker: in a Debian root made by debootstrap, with the build context
# that .dockerignore leaves, then run the result as its user on a read-only root. Needs root and debootstrap.
# What cannot be had without a registry of images is left out: Beam's boot, Dataflow's launcher program, and the
# python:3.13-slim base, for which Debian's own python3 stands in.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
root=${1:?"usage: rehearse.sh EMPTY-FOLDER [DEBIAN-SUITE]"}
suite=${2:-trixie}
mkdir -p "$root"
[ -z "$(ls -A "$root")" ] || { echo "$root is not empty" >&2; exit 2; }

echo "== FROM: a $suite root instead of python:3.13-slim"
debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates,tini "$suite" "$root" >/dev/null
ln -sf python3 "$root/usr/bin/python"
for file in /etc/resolv.conf /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
  [ -e "$file" ] && install -D -m 644 "$file" "$root$file"
done

echo "== COPY and RUN of the stage build"
python3 "$here/deploy/docker/context.py" "$here" "$root/build"
cp "$root/build/deploy/docker/requirements.lock" "$root/build/requirements.lock"
python3 "$here/deploy/docker/context.py" --steps build "$here/deploy/docker/Dockerfile" | while IFS= read -r -d '' step; do
  printf 'RUN %s\n' "$step" | head -n 1
  # shellcheck disable=SC2016 # $1 is expanded inside
  env -u PYTHONPATH -u PIP_FIND_LINKS PIP_PROGRESS_BAR=off chroot "$root" /bin/bash -euo pipefail -c 'cd /build && eval "$1"' step "$step" > "$root/step.log" || { tail -n 20 "$root/step.log"; exit 1; }
done

echo "== COPY and RUN of the stage runtime"
chroot "$root" useradd --no-log-init --uid 65532 --user-group --no-create-home --home-dir /tmp trucewatch
install -d -o 65532 -g 65532 "$root/data" "$root/var/opt/google" "$root/var/log/dataflow/template_launcher"
install -D -m 644 "$here/deploy/dataflow/launch.py" "$root/opt/google/dataflow/launch.py"
install -m 755 "$here/deploy/docker/entrypoint" "$here/deploy/docker/trucewatch-on-bucket" "$root/usr/local/bin/"
rm -rf "$root/build"
du -sh "$root/opt/trucewatch" | sed 's/^/size of the environment: /'

echo "== the demonstration and a run as user 65532, without capabilities, on a read-only root"
unshare --mount --propagation private bash -euo pipefail -s "$root" <<'INSIDE'
root=$1
mount --bind "$root" "$root"
mount -t tmpfs tmpfs "$root/tmp" && chmod 1777 "$root/tmp"
mount -t tmpfs tmpfs "$root/data" && chown 65532:65532 "$root/data"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -o remount,bind,ro "$root"
as_user() {
  chroot "$root" /usr/bin/env -i PATH=/opt/trucewatch/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 HOME=/tmp TINI_SUBREAPER=1 TRUCEWATCH_CONFIG=/data/trucewatch.toml \
    TRUCEWATCH_STORE=sqlite:////data/trucewatch.sqlite \
    setpriv --reuid 65532 --regid 65532 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \
    /usr/bin/tini -- /usr/local/bin/entrypoint "$@"
}
if as_user /bin/sh -c 'touch /opt/x' 2>/dev/null; then echo "the root can be written" >&2; exit 1; fi
as_user demo > "$root/data/demo.txt"
as_user init /data/trucewatch.toml
printf '[metrics]\nprometheus_file = "/data/trucewatch.prom"\n' > "$root/data/trucewatch.toml"
as_user run
as_user healthcheck --max-age "5 min"
told=$(as_user /opt/trucewatch/bin/python /opt/google/dataflow/launch.py --every=1 2>&1) && { echo "the launcher took nothing" >&2; exit 1; }
case $told in "trucewatch: the parameter config_file is missing"*) echo "the launcher of the template answers" ;; *) echo "$told" >&2; exit 1 ;; esac
grep -c '^trucewatch_' "$root/data/trucewatch.prom" | sed 's/$/ samples of metrics/'
tail -n 12 "$root/data/demo.txt"
INSIDE
echo "== done"
