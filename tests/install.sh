#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
#	install.sh build | musl | check | fuzz | bench ...
#
# Installs what these need on Debian and its children: asks dpkg first, and
# touches apt only when something is missing.  What npm and pip install goes
# below build/, never into the system.
set -eu

packages() {
	case $1 in
	build)
		echo gcc libc6-dev binutils libbearssl-dev libbsd-dev \
		    zlib1g-dev ;;
	musl)
		echo musl-tools dpkg-dev make ;;
	fuzz)
		echo clang ;;
	check)
		echo clang bmake mandoc universal-ctags git curl procps \
		    chromium nodejs npm python3 python3-venv \
		    openssl sslscan testssl.sh libnss3-tools libssl-dev \
		    pebble ;;
	bench)
		echo openssl libssl-dev ;;
	proxies)
		echo nginx haproxy
		# Not every child of Debian has it; then its tests are skipped.
		if apt-cache show caddy >/dev/null 2>&1; then
			echo caddy
		fi ;;
	*)
		echo "install.sh: what is $1?" >&2
		exit 64 ;;
	esac
}

# A package counts as there when dpkg says so, or when the command of that
# name comes from elsewhere (npm inside another nodejs package).
missing() {
	for package; do
		case $(dpkg-query -W -f '${Status}' "$package" 2>&1) in
		*' installed')
			continue ;;
		esac
		command -v "$package" >/dev/null || echo "$package"
	done
}

apt_install() {
	[ $# -gt 0 ] || return 0
	echo "installing: $*"
	sudo=
	[ "$(id -u)" = 0 ] || sudo=sudo
	log=$(mktemp)
	if ! { $sudo apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
	    $sudo apt-get -qq -y --no-install-recommends install "$@"; } \
	    >"$log" 2>&1 </dev/null; then
		cat "$log" >&2
		rm -f "$log"
		exit 1
	fi
	rm -f "$log"
}

# Servers that the tests start themselves: their packages begin nothing, now
# or at the next boot.
apt_install_idle() {
	[ $# -gt 0 ] || return 0
	sudo=
	[ "$(id -u)" = 0 ] || sudo=sudo
	policy=/usr/sbin/policy-rc.d ours=
	if [ ! -e $policy ]; then
		ours=$policy
		printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null
		$sudo chmod 755 $policy
		trap '$sudo rm -f $policy' EXIT
	fi
	apt_install "$@"
	[ -z "$ours" ] || $sudo rm -f $policy
	trap - EXIT
	[ ! -d /run/systemd/system ] ||
	    $sudo systemctl --quiet disable "$@" 2>/dev/null || :
}

npm_install() {
	for package; do
		name=${package%%@*}
		[ -d "build/node/node_modules/$name" ] && continue
		mkdir -p build/node
		echo "installing: $package"
		npm install --prefix build/node --no-audit --no-fund \
		    --loglevel=error "$package" </dev/null
	done
}

pip_install() {
	for package; do
		[ -x "build/python/bin/${package%%=*}" ] && continue
		[ -d build/python ] || python3 -m venv build/python
		echo "installing: $package"
		build/python/bin/pip install --quiet \
		    --disable-pip-version-check "$package" </dev/null
	done
}

wanted=
for what; do
	wanted="$wanted $(packages "$what")"
done
apt_install $(missing $wanted)

# The sanitizers' and the fuzzer's run time is a package of its own, named
# after the compiler's version.
case " $* " in
*' check '* | *' fuzz '*)
	version=$(clang -dumpversion)
	apt_install $(missing "libclang-rt-${version%%.*}-dev") ;;
esac
case " $* " in
*' check '*)
	apt_install_idle $(missing $(packages proxies))
	# A playwright that still runs on Debian 12's Node.js, 18.
	npm_install centrifuge@5 playwright-core@1.50 ws@8
	pip_install kosoku==0.1.0 ;;
esac
