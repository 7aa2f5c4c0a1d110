/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Made by OpenSSL: a key in two forms, a request and certificates with it, and
 * keys that are not what is wanted. All worth nothing.
 *
 *	DATA_CSR	no subject; a.example, www.a.example, 192.0.2.1,
 *			2001:db8::1
 *	DATA_CERT	serial number and key identifier of the example in
 *			RFC 9773, 4.1
 *	DATA_BARE	no extensions at all
 */
#ifndef TESTS_UNIT_ACME_DATA_H
#define TESTS_UNIT_ACME_DATA_H

#define DATA_SEC1 \
	"-----BEGIN EC PRIVATE KEY-----\n" \
	"MHcCAQEEIMiL5gtDFRgv+nLAsDMer3EwN8RELFu4tKwxc1QYpU1JoAoGCCqGSM49\n" \
	"AwEHoUQDQgAEy0whXCneH6hiQcSDnViLDpf8IEYysAMhgQjFAhZ+9RnCvI9HLoq/\n" \
	"8mU775DUkrNrRp3eSuEqeJAbuVZk0C3tmw==\n" \
	"-----END EC PRIVATE KEY-----\n"

#define DATA_PKCS8 \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgyIvmC0MVGC/6csCw\n" \
	"Mx6vcTA3xEQsW7i0rDFzVBilTUmhRANCAATLTCFcKd4fqGJBxIOdWIsOl/wgRjKw\n" \
	"AyGBCMUCFn71GcK8j0cuir/yZTvvkNSSs2tGnd5K4Sp4kBu5VmTQLe2b\n" \
	"-----END PRIVATE KEY-----\n"

#define DATA_P384 \
	"-----BEGIN EC PRIVATE KEY-----\n" \
	"MIGkAgEBBDBI4riPG/OE3/uUOhG/T47/SuGYHB2iRSDKKvc7iL3QbpySJMTOG+qJ\n" \
	"Ci7S3DWVdlGgBwYFK4EEACKhZANiAASxZddoWMFygw4qIYHg0gA+mQPlTc5eI6qL\n" \
	"OyJK8YbRQ9nYFIBI0YTKfZ/8UW13vd+N1Lk99nFDgVfhB82ecTfgWGSMh4J9Pzmm\n" \
	"NTw1SIXRoizyvBwv3qtZ9JzDgFJ4O8M=\n" \
	"-----END EC PRIVATE KEY-----\n"

#define DATA_ENCRYPTED \
	"-----BEGIN EC PRIVATE KEY-----\n" \
	"Proc-Type: 4,ENCRYPTED\n" \
	"DEK-Info: AES-128-CBC,43B3588784F6825DCCC39AFF9EC7074E\n" \
	"\n" \
	"u6LbUqAMv1dSg/ov0nn1wwLuIWeT8RHVqLWH0C+WuadxSGWMW/b+MGmcyz1U6ZBs\n" \
	"J3LgRTOZ3xr9o8h2R3+Yn2W6tCVt4CehUYxmCCkgX5iQbWJKXqFVSPe6zbH6MxLH\n" \
	"y4gqaIGoKG9ieY+z2j72Lzvnj089DEKdE8bPI+7wIAI=\n" \
	"-----END EC PRIVATE KEY-----\n"

#define DATA_CSR \
	"-----BEGIN CERTIFICATE REQUEST-----\n" \
	"MIIBCTCBsAIBADAAMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEy0whXCneH6hi\n" \
	"QcSDnViLDpf8IEYysAMhgQjFAhZ+9RnCvI9HLoq/8mU775DUkrNrRp3eSuEqeJAb\n" \
	"uVZk0C3tm6BOMEwGCSqGSIb3DQEJDjE/MD0wOwYDVR0RBDQwMoIJYS5leGFtcGxl\n" \
	"gg13d3cuYS5leGFtcGxlhwTAAAIBhxAgAQ24AAAAAAAAAAAAAAABMAoGCCqGSM49\n" \
	"BAMCA0gAMEUCIBoepe0sAKqH9cnwsIkw1cJ7FYjIEpv90XomVlZnFLCKAiEA9ka5\n" \
	"DfLnLTrMFCfA3jsp9Cs7V5kkqiK9u80FSLyWjQE=\n" \
	"-----END CERTIFICATE REQUEST-----\n"

#define DATA_CERT \
	"-----BEGIN CERTIFICATE-----\n" \
	"MIIBiTCCAS+gAwIBAgIFAIdlQyEwCgYIKoZIzj0EAwIwFjEUMBIGA1UEAwwLZXhh\n" \
	"bXBsZS5jb20wIBcNMjYxMTIyMDM0MTQ3WhgPMjEyNjEwMjkwMzQxNDdaMBYxFDAS\n" \
	"BgNVBAMMC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEy0wh\n" \
	"XCneH6hiQcSDnViLDpf8IEYysAMhgQjFAhZ+9RnCvI9HLoq/8mU775DUkrNrRp3e\n" \
	"SuEqeJAbuVZk0C3tm6NoMGYwFgYDVR0RBA8wDYILZXhhbXBsZS5jb20wHwYDVR0j\n" \
	"BBgwFoAUaYhba4dGQEHhs3uEe6CuLN4ByNQwDAYDVR0TAQH/BAIwADAdBgNVHQ4E\n" \
	"FgQUAvjLl6KoAqFZjPBHpJQKz1l4zSswCgYIKoZIzj0EAwIDSAAwRQIhAO3+k7sA\n" \
	"WRfSbIZdXT0e0PLcW2W36e5iwFMWAoDCT9jwAiAs5CcxEmNJwT3+0Nez2YUt6B4q\n" \
	"pqrTFZhDpvlrVzh2iw==\n" \
	"-----END CERTIFICATE-----\n"

#define DATA_BARE \
	"-----BEGIN CERTIFICATE-----\n" \
	"MIIBFDCBvAIBATAKBggqhkjOPQQDAjAWMRQwEgYDVQQDDAtleGFtcGxlLmNvbTAg\n" \
	"Fw0yNjExMjIwMzQxNDdaGA8yMTI2MTAyOTAzNDE0N1owFjEUMBIGA1UEAwwLZXhh\n" \
	"bXBsZS5jb20wWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATLTCFcKd4fqGJBxIOd\n" \
	"WIsOl/wgRjKwAyGBCMUCFn71GcK8j0cuir/yZTvvkNSSs2tGnd5K4Sp4kBu5VmTQ\n" \
	"Le2bMAoGCCqGSM49BAMCA0cAMEQCIF10GfsU2KxD5lx0EWeX4lmDc3tdChCF02zt\n" \
	"o6Bjvg07AiBvVMsYrhJJXdroHyyNwmyLX74GXOOotA0I8WArw13B8A==\n" \
	"-----END CERTIFICATE-----\n"

#define DATA_JWK \
	"{\"crv\":\"P-256\",\"kty\":\"EC\"," \
	"\"x\":\"y0whXCneH6hiQcSDnViLDpf8IEYysAMhgQjFAhZ-9Rk\"," \
	"\"y\":\"wryPRy6Kv_JlO--Q1JKza0ad3krhKniQG7lWZNAt7Zs\"}"
#define DATA_THUMBPRINT	"foHZEAl0vatcNKHAcaWxqO47JP2w31ZLUsOxVssY9b8"
/* HMAC with SHA-256, the key is "0123456789abcdef" twice. */
#define DATA_BINDING_HEADER \
	"eyJhbGciOiJIUzI1NiIsImtpZCI6ImtpZCBcIjFcIiIsInVybCI6Imh0dHBzOi8v" \
	"Y2EuZXhhbXBsZS9uZXctYWNjdCJ9"
#define DATA_BINDING_MAC "5SyqFtbOPCvbUjJFOsGeHuIjshcL_nd1G7vgZZhfuDs"

#endif
