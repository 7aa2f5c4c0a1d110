#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
#	musl.sh DIR CC		build the libraries for musl into DIR
#
# Debian's static libraries are compiled against glibc's headers, some with
# fortify: they refer to __read_chk, __isoc23_strtol and the like, which musl
# does not have.  So the same sources that Debian built them from are fetched
# with apt (which checks their signatures) and compiled again for musl: BearSSL,
# zlib, and libbsd with the libmd that it needs.
#
# The system's apt configuration is read, never changed: its sources, turned
# into source entries, live with their lists below DIR.
set -eu

mkdir -p "$1/src" "$1/lib" "$1/include"
dir=$(cd "$1" && pwd)
cc=$2
rm -f "$dir/ready"

# ---- fetch ----

apt=$dir/apt
mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial"
cat /etc/apt/sources.list 2>/dev/null | sed -n 's/^deb /deb-src /p' \
    >"$apt/sources.list"
for file in /etc/apt/sources.list.d/*; do
	case $file in
	*.list)
		sed -n 's/^deb /deb-src /p' "$file" >>"$apt/sources.list" ;;
	*.sources)
		sed 's/^Types:.*/Types: deb-src/' "$file" \
		    >"$apt/parts/${file##*/}" ;;
	esac
done

aptget() {
	apt-get -qq -o Dir::Etc::sourcelist="$apt/sources.list" \
	    -o Dir::Etc::sourceparts="$apt/parts" \
	    -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache" \
	    -o APT::Sandbox::User="$(id -un)" "$@"
}

[ -n "$(ls "$apt/lists" | grep Sources || :)" ] || aptget update
cd "$dir/src"
for package in bearssl zlib libmd libbsd; do
	[ -d "$package" ] && continue
	aptget source "$package" >/dev/null
	mv "$package"-*/ "$package"
done

# ---- build ----

# The kernel's own headers belong to no C library; musl-gcc hides them.
ln -sfn /usr/include/linux "$dir/include/linux"
ln -sfn /usr/include/asm-generic "$dir/include/asm-generic"
ln -sfn "/usr/include/$(gcc -print-multiarch)/asm" "$dir/include/asm"

flags="-Os -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables"
flags="$flags -ffile-prefix-map=$dir=."
export CFLAGS="$flags"

make -C bearssl -j2 lib CC="$cc" CFLAGS="-W -Wall $flags" LD="$cc" DLL=no \
    TOOLS=no TESTS=no
cp bearssl/build/libbearssl.a "$dir/lib"
cp bearssl/inc/*.h "$dir/include"

# Nothing here is in the format of gzip: 13 KB less.
(cd zlib && CFLAGS="$flags -DNO_GZIP" CC="$cc" ./configure --static \
    --prefix="$dir" && make clean &&
    make -j2 libz.a && cp libz.a "$dir/lib" && cp zlib.h zconf.h "$dir/include")

for library in libmd libbsd; do
	(cd $library && ./configure CC="$cc" CPPFLAGS="-I$dir/include" \
	    LDFLAGS="-L$dir/lib" --prefix="$dir" --libdir="$dir/lib" \
	    --disable-shared --enable-static &&
	    make -j2 && make install)
done

touch "$dir/ready"
