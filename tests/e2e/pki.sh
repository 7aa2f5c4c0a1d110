# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# Certificates made for one run, with openssl; sourced by lib.sh.
#
#	ca NAME			an authority: $PKI/NAME.pem and .key
#	issue NAME CA SAN [KEY [OPTIONS]]
#				what CA says of SAN ("DNS:a,IP:127.0.0.1"):
#				$PKI/NAME.pem, and NAME.key in PKCS#8.  KEY:
#				P-256 (the default), P-384, 2048, ...
#				SUBJECT is the subject, /CN=NAME without it;
#				USAGE serverAuth or clientAuth
#	serial NAME		print its serial number

PKI=$WORK/pki
mkdir -p "$PKI"

ssl() {
	openssl "$@" >"$PKI/said" 2>&1 || {
		fail openssl "$* gave $(tr '\n' ' ' <"$PKI/said")"
		return 1
	}
}

newkey() {
	case $2 in
	P-*)	ssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$2" \
		    -out "$1" ;;
	*)	ssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:$2" \
		    -out "$1" ;;
	esac
}

ca() {
	newkey "$PKI/$1.key" P-256
	ssl req -x509 -key "$PKI/$1.key" -out "$PKI/$1.pem" -days 90 \
	    -subj "/CN=$1" -addext keyUsage=critical,keyCertSign
}

issue() {
	name=$1 ca=$2 san=$3 key=${4:-P-256}
	shift 3
	[ $# -eq 0 ] || shift
	[ -f "$PKI/$name.key" ] || newkey "$PKI/$name.key" "$key"
	{
		echo "basicConstraints=critical,${CONSTRAINTS:-CA:FALSE}"
		echo "extendedKeyUsage=${USAGE:-serverAuth}"
		[ -z "$san" ] || echo "subjectAltName=$san"
	} >"$PKI/$name.ext"
	ssl req -new -utf8 -key "$PKI/$name.key" \
	    -subj "${SUBJECT:-/CN=$name}" -out "$PKI/$name.csr"
	ssl x509 -req -in "$PKI/$name.csr" -CA "$PKI/$ca.pem" \
	    -CAkey "$PKI/$ca.key" -extfile "$PKI/$name.ext" \
	    -set_serial "0x$(openssl rand -hex 15)" -days 90 "$@" \
	    -out "$PKI/$name.pem"
}

serial() {
	openssl x509 -noout -serial -in "$PKI/$1.pem"
}
