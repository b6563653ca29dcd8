#!/bin/sh
# First process of a machine: gives it a disk of its own (a system's, with what the machine writes kept in memory) and
# what an EC2 image of Debian has beside it, then waits. What runs on the machine is started beside it, and ends with it.
#   machine.sh SYSTEM CLOUD_INIT DISK LAB      (CLOUD_INIT and LAB are laid over the system)
set -eu
system=$1 cloud_init=$2 disk=$3 lab=$4
mount -t tmpfs disk "$disk"
mkdir "$disk/upper" "$disk/work" "$disk/root"
mount -t overlay root -o "lowerdir=$system,upperdir=$disk/upper,workdir=$disk/work" "$disk/root"
cd "$disk/root"
# Nothing of the machine that lent its system starts here.
rm -rf etc/systemd/system/*.wants etc/systemd/system/*.service etc/ngp var/lib/ngp var/log/ngp var/lib/cloud etc/openvpn/pki etc/openvpn/server/*
if [ -n "$cloud_init" ]; then
  cp -a "$cloud_init/usr/." usr/
  cp -a "$cloud_init/etc/." etc/
  cp -a "$cloud_init/lib/." usr/lib/
fi
mkdir -p etc/systemd/system/cloud-init.target.wants
for unit in cloud-init-main cloud-init-local cloud-init-network cloud-init cloud-config cloud-final; do
  if [ -f "usr/lib/systemd/system/$unit.service" ]; then
    ln -sf "/usr/lib/systemd/system/$unit.service" etc/systemd/system/cloud-init.target.wants/
  fi
done
cat "$lab/authority.pem" >>etc/ssl/certs/ca-certificates.crt
rm -f etc/machine-id etc/hostname etc/resolv.conf
cp -r "$lab/etc/." etc/
: >etc/machine-id
touch "$disk/ready"
while :; do
  sleep 3600 &
  wait
done
