/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The rules of http_server and of the transports, each by what breaks it
 * and what just does not, and what is parsed on the way.
 */
#include <stdio.h>
#include <stdlib.h>

#include "conf/load.h"
#include "tests/unit/test.h"

#define N(a)	(sizeof(a) / sizeof((a)[0]))
#define HS	"http_server."
#define CERT	"-----BEGIN CERTIFICATE-----"	/* enough to be taken for it */
#define PAIR	"'cert_pem':'" CERT "','key_pem':'" CERT "'"
#define AUTO	"'enabled':true,'cache_dir':'/c'"
#define NAMES	AUTO ",'host_whitelist':['a.example']"

/* Load a text with ' for "; all findings in out, separated by "; ". */
static const struct conf *
load(const char *text, char *out, size_t n)
{
	struct conf_errors errs = CONF_ERRORS_INIT;
	struct conf_source src = { .path = "c" };
	char *json = strdup(text), *p;
	const struct conf *c;
	size_t i, len = 0;

	for (p = json; (p = strchr(p, '\'')) != NULL;)
		*p = '"';
	src.text = sv_from(json);
	conf_load(&c, &src, &errs);
	out[0] = '\0';
	for (i = 0; i < errs.n && len < n; i++)
		len += (size_t)snprintf(out + len, n - len, "%s%s%s",
		    i > 0 ? "; " : "",
		    errs.v[i].kind == CONF_WARN ? "W " : "", errs.v[i].text);
	CHECK((c == NULL) == (conf_errors_exit(&errs) == 78));
	conf_errors_fini(&errs);
	free(json);
	return c;
}

/* Members of an object, and all that is said about it. */
struct row {
	const char	*opts;
	const char	*errors;
};

static void
check_rows(const char *open, const char *close, const struct row *row,
    size_t n)
{
	char doc[4096], got[4096];
	size_t i;

	for (i = 0; i < n; i++) {
		test_note("%s", row[i].opts);
		snprintf(doc, sizeof(doc), "%s%s%s", open, row[i].opts,
		    close);
		conf_unref(load(doc, got, sizeof(got)));
		CHECK_STR(got, row[i].errors);
	}
}

static const struct row tls_rows[] = {
	{ "'enabled':false", "" },
	{ "'enabled':true", HS "tls.cert_pem: is needed for TLS; "
	    HS "tls.key_pem: is needed for TLS" },
	{ "'enabled':true,'cert_pem':'" CERT "'",
	    HS "tls.key_pem: is needed for TLS" },
	{ "'enabled':true,'key_pem':'" CERT "'",
	    HS "tls.cert_pem: is needed for TLS" },
	{ "'enabled':true," PAIR, "" },
	{ "'enabled':true,'cert_pem':'/nonexistent','key_pem':'" CERT "'",
	    HS "tls.cert_pem: No such file or directory" },
	{ "'enabled':true,'key_pem':'/dev/null','cert_pem':'" CERT "'",
	    HS "tls.key_pem: the file holds no PEM text" },
	/* What is off is not looked at. */
	{ "'cert_pem':'/nonexistent','client_auth':'require'", "" },
	{ "'enabled':true,'client_auth':'optional'," PAIR,
	    HS "tls.client_auth: needs client_ca_pem" },
	{ "'enabled':true,'client_ca_pem':'/nonexistent'," PAIR,
	    HS "tls.client_ca_pem: No such file or directory" },
	{ "'enabled':true,'client_ca_pem':'" CERT "','client_auth':"
	    "'optional'," PAIR, "" },
	{ "'client_auth':'never'", "c:1:38: " HS
	    "tls.client_auth: must be one of: require optional" },
	{ "'enabled':true," PAIR ",'certificates':[{" PAIR "}]", "" },
	{ "'enabled':true," PAIR ",'certificates':[{" PAIR "},{'cert_pem':'"
	    CERT "'}]", HS "tls.certificates[1].key_pem: is needed for TLS" },
};

TEST(tls)
{
	check_rows("{'http_server':{'tls':{", "}}}", tls_rows, N(tls_rows));
}

static const struct row internal_tls_rows[] = {
	{ "'internal_tls':{}", "" },
	{ "'internal_tls':{'enabled':true," PAIR "}",
	    HS "internal_tls: needs internal_port or internal_address" },
	{ "'internal_port':'9','internal_tls':{'enabled':true," PAIR "}",
	    "" },
	{ "'internal_address':'::1','internal_tls':{'enabled':true," PAIR
	    "}", "" },
	{ "'internal_port':'9','internal_tls':{'enabled':true}",
	    HS "internal_tls.cert_pem: is needed for TLS; "
	    HS "internal_tls.key_pem: is needed for TLS" },
	/* Autocert is for the external names. */
	{ "'internal_port':'9','internal_tls':{'enabled':true},"
	    "'tls_autocert':{" NAMES "}",
	    HS "internal_tls.cert_pem: is needed for TLS; "
	    HS "internal_tls.key_pem: is needed for TLS" },
	{ "'internal_tls':{'enabled':true," PAIR "},'tls_autocert':{" NAMES
	    "},'listeners':[{'port':1,'tls':true,'internal':true}]", "" },
};

TEST(internal_tls)
{
	check_rows("{'http_server':{", "}}", internal_tls_rows,
	    N(internal_tls_rows));
}

#define A	HS "tls_autocert."

static const struct row autocert_rows[] = {
	{ NAMES, "" },
	{ AUTO, A "host_whitelist: is needed: the names to obtain "
	    "certificates for" },
	{ AUTO ",'host_whitelist':['192.0.2.1','::1','A-b.example']", "" },
	{ AUTO ",'host_whitelist':['*.example']", A "host_whitelist: can't "
	    "hold wildcards: they need a DNS challenge, which fugu does not "
	    "have" },
	{ AUTO ",'host_whitelist':['https://a','b/c','192.0.2.0/24']",
	    A "host_whitelist: must hold host names and addresses only" },
	{ "'enabled':true,'host_whitelist':['a']", A "cache_dir: is needed: "
	    "certificates that are lost can't be had again at will" },
	{ NAMES ",'http_addr':'80'",
	    A "http_addr: must be an address and a port, as in :80" },
	{ NAMES ",'http_addr':':65536'",
	    A "http_addr: must be an address and a port, as in :80" },
	{ NAMES ",'http_addr':'[::1]:8080'", "" },
	{ NAMES ",'directory':'staging'", "" },
	{ NAMES ",'directory':'https://localhost:14000/dir'", "" },
	{ NAMES ",'directory':'http://localhost/dir'",
	    A "directory: must be staging or begin with https://" },
	{ NAMES ",'eab_kid':'a'",
	    A "eab_kid: needs eab_hmac_key, and that this" },
	{ NAMES ",'eab_hmac_key':'a'",
	    A "eab_kid: needs eab_hmac_key, and that this" },
	{ NAMES ",'eab_kid':'a','eab_hmac_key':'b'", "" },
	{ NAMES ",'ca_pem':'/dev/null'",
	    A "ca_pem: the file holds no PEM text" },
	{ NAMES ",'challenge':'dns-01'", "c:1:108: "
	    A "challenge: must be one of: http-01 tls-alpn-01" },
	{ "'email':'x','directory':'y'", "" },
};

TEST(autocert)
{
	check_rows("{'http_server':{'tls_autocert':{", "}}}", autocert_rows,
	    N(autocert_rows));
}

#define TLS	"'tls':{'enabled':true," PAIR "},"

static const struct row listener_rows[] = {
	{ TLS "'tls_redirect':{'enabled':true}", "" },
	{ "'tls_autocert':{" NAMES "},'tls_redirect':{'enabled':true}", "" },
	{ "'tls_redirect':{'enabled':true}", HS "tls_redirect.enabled: needs "
	    HS "tls or " HS "tls_autocert" },
	{ TLS "'tls_redirect':{'enabled':true,'code':308}", "" },
	{ TLS "'tls_redirect':{'enabled':true,'code':302}",
	    HS "tls_redirect.code: must be 301 or 308" },
	{ TLS "'port':80,'tls_redirect':{'enabled':true}",
	    HS "tls_redirect.port: listens where " HS "port does" },
	{ TLS "'port':80,'tls_redirect':{'enabled':true,'address':'::1'}",
	    "" },
	{ "'listeners':[{}]", HS "listeners[0].port: or unix_socket must be "
	    "given, and not both" },
	{ "'listeners':[{'port':1},{'port':1,'unix_socket':'/s'}]",
	    HS "listeners[1].port: or unix_socket must be given, and not "
	    "both" },
	{ "'listeners':[{'port':1},{'unix_socket':'/s'},{'port':1,"
	    "'address':'::1'}]", "" },
	{ "'listeners':[{'port':1},{'port':1}]",
	    HS "listeners: listens where " HS "listeners does" },
	{ "'listeners':[{'port':8000}]",
	    HS "listeners: listens where " HS "port does" },
	{ "'tcp_disabled':true,'listeners':[{'port':8000}]", "" },
	{ "'unix_socket':{'mode':'666'},'listeners':[{'unix_socket':'/s'},"
	    "{'unix_socket':'/t','internal':true}]", "W " HS
	    "listeners[0].unix_socket: everybody on this machine can "
	    "connect" },
	{ "'internal_port':'81','listeners':[{'port':81}]",
	    HS "listeners: listens where " HS "internal_port does" },
	{ "'tcp_disabled':true,'internal_port':'81','listeners':[{'port':81}]",
	    HS "listeners: listens where " HS "internal_port does" },
	{ "'internal_address':'::1','listeners':[{'address':'::1',"
	    "'port':8000}]",
	    HS "listeners: listens where " HS "internal_port does" },
	{ "'internal_port':'8000'", "" },
	{ "'listeners':[{'port':1,'tls':true}]", HS "tls.cert_pem: is "
	    "needed for TLS; " HS "tls.key_pem: is needed for TLS; "
	    HS "listeners[0].tls: needs " HS "tls.cert_pem or "
	    HS "tls_autocert" },
	{ "'tls':{" PAIR "},'listeners':[{'port':1,'tls':true}]", "" },
	/* Then they are looked at, though the main port is plain. */
	{ "'tls':{'cert_pem':'/dev/null','key_pem':'" CERT "'},"
	    "'listeners':[{'port':1,'tls':true}]",
	    HS "tls.cert_pem: the file holds no PEM text" },
	{ "'tls_autocert':{" NAMES "},'listeners':[{'port':1,'tls':true}]",
	    "" },
	{ "'listeners':[{'port':1,'proxy_protocol':true}]",
	    HS "listeners[0].proxy_protocol: needs " HS "trusted_proxies" },
	{ "'listeners':[{'port':1,'name':'x','proxy_protocol':true}],"
	    "'trusted_proxies':['unix']", "" },
	{ "'listeners':[{'unix_socket':'s'}]",
	    HS "listeners[0].unix_socket: must begin with /, or be @ and a "
	    "name" },
};

TEST(listeners)
{
	check_rows("{'http_server':{", "}}", listener_rows,
	    N(listener_rows));
}

TEST(listeners_are_counted)
{
	struct buf b = BUF_INIT;
	char got[256];
	unsigned i;

	buf_puts(&b, "{'http_server':{'listeners':[{'port':1}");
	for (i = 2; i <= 64; i++)
		buf_printf(&b, ",{'port':%u}", i);
	buf_printf(&b, "]}}%c", '\0');
	conf_unref(load(b.p, got, sizeof(got)));
	CHECK_STR(got, "");
	b.n -= 4;
	buf_printf(&b, ",{'port':65}]}}%c", '\0');
	conf_unref(load(b.p, got, sizeof(got)));
	CHECK_STR(got, HS "listeners: are too many: at most 64");
	buf_fini(&b);
}

#define TEN	"/234567890"
#define PATH107	TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "/234567"
#define U	HS "unix_socket."

static const struct row socket_rows[] = {
	{ "'path':'/run/s'", "" },
	{ "'path':'@fugu'", "" },
	{ "'path':'" PATH107 "'", "" },
	{ "'path':'" PATH107 "8'",
	    U "path: must not be longer than 107 bytes" },
	{ "'path':'@'", U "path: must begin with /, or be @ and a name" },
	{ "'path':'run/s'", U "path: must begin with /, or be @ and a name" },
	{ "'path':'/run/../s'", U "path: must not hold .." },
	{ "'path':'/run/..'", U "path: must not hold .." },
	{ "'path':'/run/..s/...'", "" },
	{ "'path':'@../s'", "" },
	{ "'path':'/run/'", U "path: must not end in /" },
	{ "'path':'/s','mode':'777'", "W " U
	    "mode: everybody on this machine can connect" },
	{ "'path':'/s','mode':'0662'", "W " U
	    "mode: everybody on this machine can connect" },
	{ "'mode':'666'", "" },
	{ "'path':'/s','mode':'0600'", "" },
	{ "'mode':'1000'", U "mode: must be octal, at most 777" },
	{ "'mode':'77777777777777777777777'",
	    U "mode: must be octal, at most 777" },
	{ "'mode':'0o660'", U "mode: must be octal, at most 777" },
	{ "'mode':'680'", U "mode: must be octal, at most 777" },
	{ "'mode':660", "c:1:39: " U "mode: expected a string, got 660" },
};

TEST(unix_sockets)
{
	static const struct row twice[] = {
		{ "'unix_socket':{'path':'/s'},'internal_unix_socket':"
		    "{'path':'/s'}", HS "internal_unix_socket.path: listens "
		    "where " HS "unix_socket.path does" },
		{ "'unix_socket':{'path':'/s'},'listeners':[{'unix_socket':"
		    "'/s'}]", HS "listeners: listens where " HS
		    "unix_socket.path does" },
		{ "'internal_unix_socket':{'path':'s','mode':'9'}",
		    HS "internal_unix_socket.path: must begin with /, or be "
		    "@ and a name; " HS "internal_unix_socket.mode: must be "
		    "octal, at most 777" },
	};
	const struct conf *c;
	char got[256];

	check_rows("{'http_server':{'unix_socket':{", "}}}", socket_rows,
	    N(socket_rows));
	check_rows("{'http_server':{", "}}", twice, N(twice));
	c = load("{'http_server':{'unix_socket':{'path':'/s','mode':'0640',"
	    "'owner':'a','group':'b'}}}", got, sizeof(got));
	if (CHECK(c != NULL)) {
		CHECK_INT(c->http_server.unix_socket.mode_bits, 0640);
		CHECK_STR(c->http_server.unix_socket.owner, "a");
		CHECK_INT(c->http_server.internal_unix_socket.mode_bits,
		    0660);
	}
	conf_unref(c);
}

static const struct row proxy_rows[] = {
	{ "'proxy_protocol':true",
	    HS "proxy_protocol: needs trusted_proxies" },
	{ "'internal_proxy_protocol':true",
	    HS "internal_proxy_protocol: needs trusted_proxies" },
	{ "'proxy_protocol':true,'internal_proxy_protocol':true,"
	    "'trusted_proxies':['10.0.0.0/8']", "" },
	{ "'trusted_proxies':['10.0.0.0/8','x']", HS "trusted_proxies: x: is "
	    "no address or network, as 10.0.0.0/8 is one" },
	{ "'forwarded_header':'X-Client'", "c:1:36: " HS "forwarded_header: "
	    "must be one of: X-Forwarded-For X-Real-IP Forwarded none" },
};

TEST(trusted_proxies)
{
	const struct conf *c;
	char got[256];

	check_rows("{'http_server':{", "}}", proxy_rows, N(proxy_rows));
	c = load("{'http_server':{'trusted_proxies':['::1','unix',"
	    "'10.0.0.0/8'],'forwarded_header':'none'}}", got, sizeof(got));
	if (CHECK(c != NULL)) {
		CHECK_INT(c->http_server.trusted_cidrs.n, 2);
		CHECK_INT(c->http_server.trusted_cidrs.v[1].bits, 104);
		CHECK(c->http_server.trusted_unix);
		CHECK_STR(c->http_server.forwarded_header, "");
	}
	conf_unref(c);
	c = load("{}", got, sizeof(got));
	if (CHECK(c != NULL)) {
		CHECK_STR(c->http_server.forwarded_header,
		    "X-Forwarded-For");
		CHECK(!c->http_server.trusted_unix);
	}
	conf_unref(c);
}

TEST(networks)
{
	static const struct {
		const char	*text;
		int		 bits;	/* -1: none */
		uint8_t		 addr[16];
	} rows[] = {
		{ "10.0.0.0/8", 104, { [10] = 255, 255, 10 } },
		{ "10.1.2.3", 128, { [10] = 255, 255, 10, 1, 2, 3 } },
		{ "0.0.0.0/0", 96, { [10] = 255, 255 } },
		{ "192.0.2.128/25", 121, { [10] = 255, 255, 192, 0, 2, 128 } },
		{ "::1", 128, { [15] = 1 } },
		{ "::/0", 0, { 0 } },
		{ "2001:db8::/32", 32, { 0x20, 1, 0x0d, 0xb8 } },
		{ "::ffff:10.0.0.0/104", 104, { [10] = 255, 255, 10 } },
		{ "10.0.0.1/8", -1, { 0 } },
		{ "192.0.2.128/24", -1, { 0 } },
		{ "2001:db8::1/32", -1, { 0 } },
		{ "10.0.0.0/33", -1, { 0 } }, { "::/129", -1, { 0 } },
		{ "10.0.0.0/", -1, { 0 } }, { "10.0.0.0/-1", -1, { 0 } },
		{ "10.0.0.0/0008", -1, { 0 } }, { "10.0.0", -1, { 0 } },
		{ "/8", -1, { 0 } }, { "", -1, { 0 } },
		{ "10.0.0.0/8/8", -1, { 0 } }, { "a.example", -1, { 0 } },
		{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
		    -1, { 0 } },
	};
	struct conf_cidr c;
	struct sv s;
	char *text;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		test_note("%s", rows[i].text);
		s = sv_from(rows[i].text);
		text = guard_dup(s);
		CHECK_INT(conf_cidr_parse(sv_make(text, s.n), &c),
		    rows[i].bits == -1 ? -1 : 0);
		guard_free(text);
		if (rows[i].bits == -1)
			continue;
		CHECK_INT(c.bits, rows[i].bits);
		CHECK(memcmp(c.addr, rows[i].addr, 16) == 0);
	}
}

TEST(client_certificates)
{
	static const struct row rows[] = {
		{ "'user_id_client_certificate':'cn'",
		    "client.user_id_client_certificate: needs "
		    HS "tls.client_ca_pem" },
		{ "'user_id_client_certificate':'dn'", "c:1:41: client."
		    "user_id_client_certificate: must be one of: cn "
		    "subject" },
		{ "'user_id_client_certificate':'cn'},'http_server':{'tls':{"
		    "'client_ca_pem':'" CERT "'}", "" },
	};
	struct conf_tls t = { .client_ca_pem = "", .client_auth = "" };

	check_rows("{'client':{", "}}", rows, N(rows));
	CHECK_STR(conf_client_auth(&t), "");
	t.client_ca_pem = "x";
	CHECK_STR(conf_client_auth(&t), "require");
	t.client_auth = "optional";
	CHECK_STR(conf_client_auth(&t), "optional");
}

#define LONG	"1234567890123456789012345678901234567890"
#define CODE	"'code':109,'to':"
#define D	"client.connect_code_to_unidirectional_disconnect.transforms"
#define R	"connect_code_to_http_response.transforms"

static const struct row disconnect_rows[] = {
	{ "{" CODE "{'code':3000,'reason':'" LONG LONG LONG "123'}},"
	    "{" CODE "{'code':4999}}", "" },
	{ "{" CODE "{'code':3000,'reason':'" LONG LONG LONG "1234'}}",
	    D ": to.reason must be ASCII, at most 123 bytes" },
	{ "{" CODE "{'code':3000,'reason':'\xc3\xa9'}}",
	    D ": to.reason must be ASCII, at most 123 bytes" },
	{ "{'to':{'code':3000}}", D ": each needs code and to.code" },
	{ "{'code':109}", D ": each needs code and to.code" },
	{ "{" CODE "{'code':2999}}", "c:1:96: " D
	    "[0].to.code: must be from 3000 to 4999" },
	{ "{" CODE "{'code':5000}}", "c:1:96: " D
	    "[0].to.code: must be from 3000 to 4999" },
	{ "{'code':-1,'to':{'code':3000}}", "c:1:79: " D
	    "[0].code: must be from 1 to 4294967295" },
};

static const struct row response_rows[] = {
	{ "{" CODE "{'status_code':100}},{" CODE "{'status_code':599,"
	    "'body':'x'}}", "" },
	{ "{'code':109}", "uni_sse." R
	    ": each needs code and to.status_code" },
	{ "{'to':{'status_code':100}}", "uni_sse." R
	    ": each needs code and to.status_code" },
	{ "{" CODE "{'status_code':99}}", "c:1:92: uni_sse." R
	    "[0].to.status_code: must be from 100 to 599" },
	{ "{" CODE "{'status_code':600}}", "c:1:92: uni_sse." R
	    "[0].to.status_code: must be from 100 to 599" },
};

TEST(translations_of_codes)
{
	const struct conf *c;
	char got[256];

	check_rows("{'client':{'connect_code_to_unidirectional_disconnect':{"
	    "'transforms':[", "]}}}", disconnect_rows, N(disconnect_rows));
	check_rows("{'uni_sse':{'connect_code_to_http_response':{"
	    "'transforms':[", "]}}}", response_rows, N(response_rows));
	c = load("{'uni_http_stream':{'connect_code_to_http_response':{"
	    "'enabled':true,'transforms':[{" CODE "{'status_code':401,"
	    "'body':'no'}}]}}}", got, sizeof(got));
	if (CHECK(c != NULL)) {
		const struct conf_code_to_response *r =
		    &c->uni_http_stream.connect_code_to_http_response;

		CHECK(r->enabled);
		CHECK_INT(r->transforms.n, 1);
		CHECK_INT(r->transforms.v[0].code, 109);
		CHECK_INT(r->transforms.v[0].to.status_code, 401);
		CHECK_STR(r->transforms.v[0].to.body, "no");
	}
	conf_unref(c);
}

TEST(paths_of_transports)
{
	static const struct row rows[] = {
		{ "'sse':{'handler_prefix':'/x'},'http_stream':{"
		    "'handler_prefix':'/x'}", "" },
		{ "'sse':{'enabled':true,'handler_prefix':'/x'},'uni_sse':{"
		    "'enabled':true,'handler_prefix':'/x/'}",
		    "uni_sse.handler_prefix: is the same as "
		    "sse.handler_prefix" },
		{ "'emulation':{'handler_prefix':'/connection/websocket'}",
		    "" },
		{ "'http_stream':{'enabled':true},'emulation':{"
		    "'handler_prefix':'/connection/websocket'}",
		    "emulation.handler_prefix: is the same as "
		    "websocket.handler_prefix" },
		{ "'init':{'enabled':true,'handler_prefix':'x'}",
		    "init.handler_prefix: must begin with /" },
	};

	check_rows("{", "}", rows, N(rows));
}

/* Options of items that have no name survive the way through variables. */
TEST(items_in_variables)
{
	static const struct conf_flag flag = { "http_server.listeners",
	    "[{\"port\":7,\"name\":\"it's\"}]" };
	char *argv[] = { NULL }, *text = NULL, *vars[2] = { NULL }, *end;
	struct conf_source src = { .path = "c", .text = SV("{}"),
	    .flags = &flag, .nflags = 1 };
	struct conf_errors errs = CONF_ERRORS_INIT;
	char *with[] = { "--http_server.listeners=[{\"port\":7,"
	    "\"name\":\"it's\"}]", "--base-non-zero-only", NULL };
	size_t n;
	struct conf_cmd_env env = { .argv = with, .environ = argv,
	    .out = open_memstream(&text, &n), .err = stderr };
	struct buf names = BUF_INIT;
	const struct conf *a, *b;

	CHECK_INT(conf_cmd_defaultenv(&env), 0);
	fclose(env.out);
	CHECK(strncmp(text, "FUGU_HTTP_SERVER_LISTENERS='[", 29) == 0);
	CHECK((end = strstr(text, "]'\n")) != NULL && end[3] == '\0');
	memmove(text + 27, text + 28, n - 30);	/* without the quotes */
	text[n - 3] = '\0';
	vars[0] = text;
	CHECK_INT(conf_load(&a, &src, &errs), 0);
	src.nflags = 0;
	src.environ = vars;
	CHECK_INT(conf_load(&b, &src, &errs), 0);
	if (CHECK(a != NULL && b != NULL)) {
		CHECK_STR(b->http_server.listeners.v[0].name, "it's");
		CHECK_INT(conf_diff_reload(a, b, &names), 0);
	}
	conf_unref(b);
	src.environ = NULL;
	CHECK_INT(conf_load(&b, &src, &errs), 0);
	if (CHECK(a != NULL && b != NULL)) {
		CHECK_INT(conf_diff_reload(a, b, &names), 1);
		CHECK_SV(buf_sv(&names), "http_server.listeners");
	}
	buf_fini(&names);
	conf_unref(a);
	conf_unref(b);
	CHECK_INT(errs.n, 0);
	conf_errors_fini(&errs);
	free(text);
}

static bool
sweep(void)
{
	struct conf_source src = { .path = "c", .text = SV("{\"http_server\":"
	    "{\"tls\":{\"enabled\":true,\"cert_pem\":\"" CERT "\","
	    "\"key_pem\":\"" CERT "\",\"certificates\":[{\"cert_pem\":\""
	    CERT "\",\"key_pem\":\"" CERT "\"}]},\"trusted_proxies\":"
	    "[\"::1\"],\"listeners\":[{\"port\":1}]}}") };
	struct conf_errors errs = CONF_ERRORS_INIT;
	const struct conf *c;
	bool ok = conf_load(&c, &src, &errs) == 0;

	conf_unref(c);
	conf_errors_fini(&errs);
	return ok;
}

TEST(no_memory_is_an_error_and_nothing_leaks)
{
	ALLOC_SWEEP(sweep);
}
