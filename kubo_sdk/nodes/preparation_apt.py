"""The part of the preparation that installs Debian packages: from mirrors, or from a directory that was sent."""

from __future__ import annotations

# It works with what `preparation_script.PROGRAM` has read of its orders.
INSTALL = r"""
# The names of $packages that are not there whole.
missing() {
  for name in $packages; do
    case $(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null || true) in ii*|hi*) ;; *) echo "$name" ;; esac
  done
}

# What went wrong, from the words of apt or dpkg in the log.
explain() {
  said=$(grep -E '^(E|dpkg): ' "$log" | head -n 1 | cut -c -300)
  said=${said#E: }
  if grep -qiE 'no space left|not have enough free space' "$log"; then
    refuse never "its disk is full; give it a larger one"
  elif grep -qE 'Could not get lock|Unable to lock|locked by another' "$log"; then
    refuse never "another apt or dpkg has run there for $lock_seconds s: $said; wait for it, or stop it"
  elif grep -qE 'Unable to locate package|no installation candidate|not installable' "$log"; then
    lacking=$(grep -E 'Unable to locate|no installation candidate|not installable' "$log" | head -n 1)
    lacking=$(echo ${lacking#E: })
    if [ "$source" = bundle ]; then
      refuse never "the bundle is not complete: $lacking; add the .deb files to it"
    fi
    refuse never "its mirrors lack a package: $lacking; see packages.apt and packages.extra in the spec"
  elif grep -qE 'NO_PUBKEY|not signed|EXPKEYSIG|is not valid yet|expired' "$log"; then
    refuse never "the signature of its mirrors is not good: $said; see packages.key_file in the spec, and the clock"
  elif grep -qE '^(E|Err):? ?.*(fetch|connect|resolve|[Tt]imed out|Release file|40[0-9]|50[0-9])' "$log"; then
    refuse again "it gets no packages from its mirrors: $said; see packages.apt and proxy in the spec"
  fi
  refuse never "its packages cannot be installed, $step says: ${said:-$(tail -n 1 "$log")}; look at apt and dpkg on it"
}

# Runs apt-get, once more while somebody else holds one of its locks.
patiently() {
  read -r uptime _ </proc/uptime
  until=$((${uptime%.*} + lock_seconds))
  while ! apt-get -c "$work/apt.conf" -y -q "$@" >"$log" 2>&1 </dev/null; do
    read -r uptime _ </proc/uptime
    if [ "${uptime%.*}" -ge "$until" ] || ! grep -qE 'Could not get lock|Unable to lock' "$log"; then explain; fi
    sleep 1
  done
}

set_up_apt() {
  {
    echo 'APT::Get::Assume-Yes "true"; APT::Install-Recommends "false"; APT::Install-Suggests "false";'
    echo 'APT::Update::Error-Mode "any"; Acquire::Retries "2"; Acquire::Languages "none"; Dpkg::Use-Pty "false";'
    echo 'Acquire::http::Timeout "30"; Acquire::https::Timeout "30";'
    echo 'DPkg::Options { "--force-confdef"; "--force-confold"; };'
    if [ -n "$http_proxy" ]; then echo "Acquire::http::Proxy \"$http_proxy\";"; fi
    if [ -n "$https_proxy" ]; then echo "Acquire::https::Proxy \"$https_proxy\";"; fi
    if [ -s "$work/apt" ]; then
      echo "Dir::Etc::SourceList \"$state/apt/sources.list\"; Dir::Etc::SourceParts \"/dev/null\";"
      echo "Dir::State::Lists \"$state/apt/lists\"; Dir::Cache::pkgcache \"\"; Dir::Cache::srcpkgcache \"\";"
    fi
  } >"$work/apt.new"
  chmod 0600 "$work/apt.new"
  mv -f "$work/apt.new" "$work/apt.conf"
  if [ -n "$no_proxy" ]; then export no_proxy; fi
  mkdir -p "$state/apt/lists/partial"
  sed "s/{codename}/$VERSION_CODENAME/g" "$work/apt" >"$state/apt/sources.list"
  if [ -n "$key" ]; then
    echo "$key" | base64 -d >"$state/apt/key.$key_form"
  fi
}

# A directory of packages becomes a source like any other, so apt takes from it what is needed.
set_up_bundle() {
  cd "$bundle"
  find . -maxdepth 1 -name '*.deb' | sort | while read -r deb; do
    dpkg-deb -f "$deb"
    echo "Filename: $deb"
    echo "Size: $(stat -c %s "$deb")"
    echo "SHA256: $(sha256sum <"$deb" | cut -d ' ' -f 1)"
    echo
  done >Packages.new
  mv -f Packages.new Packages
  cd /
  echo "deb [trusted=yes] file:$bundle ./" >"$work/apt"
}

# Packages start nothing: what runs on this machine, the core's own units say.
forbid_starts() {
  if [ -e "$policy" ] && ! grep -q kubo-prepare "$policy"; then mv -f "$policy" "$policy.before-kubo"; fi
  printf '#!/bin/sh\n# kubo-prepare\nexit 101\n' >"$policy.new"
  chmod 0755 "$policy.new"
  mv -f "$policy.new" "$policy"
}

allow_starts() {
  if ! grep -qs kubo-prepare "$policy"; then return; fi
  if [ -e "$policy.before-kubo" ]; then mv -f "$policy.before-kubo" "$policy"; else rm -f "$policy"; fi
}

# Units that came with the packages, also those of an earlier try, do not start at boot either; ours stay as they are.
disable_units() {
  for name in $packages; do
    case $name in dbus|kmod|nftables|procps|systemd*) continue ;; esac
    for unit in $(dpkg -L "$name" 2>/dev/null | sed -n -E 's,.*/systemd/system/([^/]+\.(service|socket))$,\1,p'); do
      if [ -e "/etc/systemd/system/$unit" ] && [ ! -L "/etc/systemd/system/$unit" ]; then continue; fi
      case $unit in *@.*) continue ;; esac
      if systemctl --quiet is-enabled "$unit" 2>/dev/null || systemctl --quiet is-active "$unit"; then
        systemctl --quiet --no-reload disable --now "$unit" >"$log" 2>&1 || systemctl --quiet stop "$unit"
      fi
    done
  done
}

install_packages() {
  begin "looking for packages"
  lacking=$(missing)
  if [ -n "$lacking" ]; then
    if [ "$source" = image ]; then
      refuse never "it lacks the packages $(echo $lacking), and packages.source is image; put them into the image"
    fi
    check_room
    begin "setting up apt"
    if [ "$source" = bundle ]; then set_up_bundle; fi
    set_up_apt
    forbid_starts
    begin "finishing what dpkg had left half done"
    tries=0
    # What an earlier try left half done.
    until dpkg --force-confdef --force-confold --configure -a >"$log" 2>&1 </dev/null; do
      tries=$((tries + 1))
      if [ "$tries" -gt "$lock_seconds" ] || ! grep -qE 'locked by another|Unable to lock' "$log"; then explain; fi
      sleep 1
    done
    begin "apt-get update"
    patiently update
    begin "apt-get install"
    patiently install $lacking
  fi
  begin "switching off the units that came with packages"
  disable_units
  allow_starts
  find "$state" -maxdepth 1 -name "bundle-*" -exec rm -rf {} +
}
"""
