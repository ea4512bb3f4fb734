#!/bin/sh
# Installs Debian packages without letting them start their services: a database that starts by itself on a standard port is
# not what somebody who typed `npm start` asked for. Run as root: apt-install.sh PACKAGE|OR_ELSE_THIS ...
set -eu
policy=/usr/sbin/policy-rc.d
mark="# made by FlashPay for one installation"

# One that an earlier run left behind when it was killed goes too; one that belongs to the machine stays.
forget() { if grep -qsF "$mark" "$policy"; then rm -f "$policy"; fi; }
trap forget EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

forget
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\n%s\nexit 101\n' "$mark" > "$policy"
  chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
apt-get -q -o DPkg::Lock::Timeout=600 update

# Which Java a release has differs: the first alternative with a candidate is taken.
available() { apt-cache policy "$1" | grep -q 'Candidate: [^(]'; }
packages=""
for wanted in "$@"; do
  picked=""
  for one in $(echo "$wanted" | tr '|' ' '); do
    if [ -z "$picked" ] && available "$one"; then picked=$one; fi
  done
  if [ -z "$picked" ]; then
    echo "E: this system's package lists have no $wanted"
    exit 1
  fi
  packages="$packages $picked"
done

# shellcheck disable=SC2086 # a list of words is meant
apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=600 install $packages
