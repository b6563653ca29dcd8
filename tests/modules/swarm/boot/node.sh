#!/bin/sh
# First process of a node: gives it a disk of its own (the machine's, with what the node writes kept in memory), then
# waits. It ends, and with it every process, mount and interface of the node, when the lab ends it.
set -eu
disk=$1
hostname "$2"
mount -t tmpfs disk "$disk"
mkdir "$disk/upper" "$disk/work" "$disk/root"
mount -t overlay root -o "lowerdir=/,upperdir=$disk/upper,workdir=$disk/work" "$disk/root"
cd "$disk/root"
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mkdir -p var/lib/docker
for path in run var/lib/docker; do mount -t tmpfs "$path" "$path"; done
rm -rf etc/docker etc/ngp var/lib/ngp var/log/ngp root/.docker root/.aws
pivot_root . mnt
umount -l mnt
touch /run/ready
# Reaps what is left to it.
while :; do
  sleep 3600 &
  wait
done
