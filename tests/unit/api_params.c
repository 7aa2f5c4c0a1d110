/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Parameters: what each method takes, and of which types.
 */
#include "api/params.h"
#include "tests/unit/test.h"

static struct json		doc;
static struct buf		scratch;
static struct api_params	p;

static int
decode(enum api_method m, const char *text)
{
	test_note("%s %s", api_method_name[m], text);
	buf_reset(&scratch);
	buf_reserve(&scratch, 256);
	if (!CHECK_INT(json_parse(&doc, sv_from(text), 0), 0))
		return -1;
	return api_params_decode(m, json_root(&doc), &scratch, &p);
}

static void
fini(void)
{
	json_fini(&doc);
	buf_fini(&scratch);
}

TEST(method_names)
{
	int m;

	for (m = 0; m < API_METHODS; m++)
		CHECK_INT(api_method_find(sv_from(api_method_name[m])), m);
	CHECK_INT(api_method_find(SV("PUBLISH")), API_PUBLISH);
	CHECK_INT(api_method_find(SV("History_Remove")), API_HISTORY_REMOVE);
	CHECK_INT(api_method_find(SV("")), API_METHODS);
	CHECK_INT(api_method_find(SV("publis")), API_METHODS);
}

TEST(all_fields_of_a_publish)
{
	CHECK_INT(decode(API_PUBLISH, "{\"channel\":\"a\\u0062\","
	    "\"data\":{\"x\": 1},\"b64data\":\"MQ==\",\"skip_history\":true,"
	    "\"tags\":{\"t\":\"v\"},\"idempotency_key\":\"\\\"i\","
	    "\"delta\":true,"
	    "\"version\":18446744073709551615,\"version_epoch\":\"e\","
	    "\"other\":[{}]}"), 0);
	CHECK_SV(p.channel, "ab");
	CHECK_SV(p.data, "{\"x\": 1}");
	CHECK_SV(p.b64data, "MQ==");
	CHECK(p.skip_history);
	CHECK_INT(jv_len(p.tags), 1);
	CHECK_SV(p.idempotency_key, "\"i");
	CHECK(p.delta);
	CHECK(p.version == UINT64_MAX);
	CHECK_SV(p.version_epoch, "e");
	fini();
}

TEST(nothing_given_is_nothing)
{
	int m;

	for (m = 0; m < API_METHODS; m++) {
		CHECK_INT(decode((enum api_method)m, "{}"), 0);
		CHECK_INT(decode((enum api_method)m, "null"), 0);
		CHECK_INT(decode((enum api_method)m, "[]"), -1);
		CHECK_INT(decode((enum api_method)m, "\"x\""), -1);
		CHECK_INT(decode((enum api_method)m, "1"), -1);
	}
	CHECK_INT(api_params_decode(API_INFO, (struct jv){ NULL, 0 },
	    &scratch, &p), 0);
	CHECK_INT(decode(API_PUBLISH, "{\"channel\":null,\"data\":null,"
	    "\"tags\":null,\"version\":null,\"delta\":null}"), 0);
	CHECK_INT(p.channel.n, 0);
	CHECK_SV(p.data, "null");
	CHECK(!jv_is(p.tags));
	fini();
}

TEST(types_are_checked)
{
	static const struct {
		enum api_method	 m;
		const char	*text;
		int		 rc;
	} row[] = {
		{ API_PUBLISH, "{\"channel\":1}", -1 },
		{ API_PUBLISH, "{\"tags\":[]}", -1 },
		{ API_PUBLISH, "{\"tags\":{\"a\":1}}", -1 },
		{ API_PUBLISH, "{\"tags\":{\"a\":null}}", 0 },
		{ API_PUBLISH, "{\"skip_history\":1}", -1 },
		{ API_PUBLISH, "{\"version\":-1}", -1 },
		{ API_PUBLISH, "{\"version\":1.0}", -1 },
		{ API_PUBLISH, "{\"version\":\"1\"}", -1 },
		{ API_PUBLISH, "{\"version\":18446744073709551616}", -1 },
		{ API_BROADCAST, "{\"channels\":\"a\"}", -1 },
		{ API_BROADCAST, "{\"channels\":[\"a\",1]}", -1 },
		{ API_BROADCAST, "{\"channels\":[\"a\",null]}", 0 },
		{ API_BROADCAST, "{\"channels\":{}}", -1 },
		{ API_DISCONNECT, "{\"user\":1}", -1 },
		{ API_DISCONNECT, "{\"disconnect\":[]}", -1 },
		{ API_DISCONNECT, "{\"disconnect\":{\"code\":-1}}", -1 },
		{ API_DISCONNECT, "{\"disconnect\":{\"code\":4294967295}}",
		    0 },
		{ API_DISCONNECT, "{\"disconnect\":{\"code\":4294967296}}",
		    -1 },
		{ API_DISCONNECT, "{\"disconnect\":{\"reason\":1}}", -1 },
		{ API_DISCONNECT, "{\"whitelist\":\"a\"}", -1 },
		{ API_UNSUBSCRIBE, "{\"channel\":{}}", -1 },
		{ API_CHANNELS, "{\"pattern\":1}", -1 },
		{ API_RPC, "{\"method\":1}", -1 },
		{ API_RPC, "{\"params\":1}", 0 },
		{ API_INFO, "{\"user\":1}", 0 },
		{ API_HISTORY, "{\"limit\":2147483647}", 0 },
		{ API_HISTORY, "{\"limit\":2147483648}", -1 },
		{ API_HISTORY, "{\"limit\":-2147483648}", 0 },
		{ API_HISTORY, "{\"limit\":-2147483649}", -1 },
		{ API_HISTORY, "{\"since\":{\"offset\":-1}}", -1 },
		{ API_HISTORY, "{\"since\":{\"epoch\":1}}", -1 },
		{ API_SUBSCRIBE, "{\"recover_since\":1}", -1 },
		{ API_SUBSCRIBE,
		    "{\"override\":{\"presence\":{\"value\":true}}}", 0 },
		{ API_SUBSCRIBE,
		    "{\"override\":{\"presence\":{\"value\":1}}}", -1 },
		{ API_SUBSCRIBE, "{\"override\":{\"presence\":true}}", -1 },
		{ API_REFRESH, "{\"expire_at\":\"1\"}", -1 },
		{ API_BATCH, "{\"commands\":{}}", -1 },
		{ API_BATCH, "{\"commands\":[1]}", -1 },
		{ API_BATCH, "{\"commands\":[{},null]}", 0 },
		{ API_BATCH, "{\"parallel\":1}", -1 },
	};
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		CHECK_INT(decode(row[i].m, row[i].text), row[i].rc);
	fini();
}

TEST(subscribe_and_refresh_have_raw_fields)
{
	CHECK_INT(decode(API_SUBSCRIBE, "{\"channel\":\"c\",\"user\":\"u\","
	    "\"info\":{ },\"data\":null,\"b64info\":\"i\",\"b64data\":\"d\","
	    "\"expire_at\":-1,\"recover_since\":{\"offset\":2,"
	    "\"epoch\":\"e\"},\"override\":{\"presence\":{}}}"), 0);
	CHECK_SV(p.channel, "c");
	CHECK_SV(p.info, "{ }");
	CHECK_SV(p.data, "null");
	CHECK_SV(p.b64info, "i");
	CHECK_SV(p.b64data, "d");
	CHECK_INT(p.expire_at, -1);
	CHECK_INT(p.offset, 2);
	CHECK_SV(p.epoch, "e");
	CHECK(jv_is(p.since));
	CHECK_INT(jv_len(p.override), 1);
	CHECK_INT(decode(API_SUBSCRIBE, "{\"override\":null,"
	    "\"recover_since\":null}"), 0);
	CHECK(!jv_is(p.since) && !jv_is(p.override));
	CHECK_INT(decode(API_REFRESH, "{\"info\":[1],\"expired\":true}"), 0);
	CHECK_SV(p.info, "[1]");
	CHECK(p.expired);
	CHECK_INT(decode(API_HISTORY, "{\"since\":{},\"reverse\":true,"
	    "\"limit\":-2147483648}"), 0);
	CHECK(jv_is(p.since) && p.reverse);
	CHECK_INT(p.limit, INT32_MIN);
	fini();
}

TEST(disconnect_has_its_own_fields)
{
	CHECK_INT(decode(API_DISCONNECT, "{\"user\":\"u\",\"client\":\"c\","
	    "\"session\":\"s\",\"whitelist\":[\"a\",null],"
	    "\"disconnect\":{\"code\":4000,\"reason\":\"r\"}}"), 0);
	CHECK_SV(p.user, "u");
	CHECK_SV(p.client, "c");
	CHECK_SV(p.session, "s");
	CHECK(jv_is(p.disconnect));
	CHECK_INT(p.code, 4000);
	CHECK_SV(p.reason, "r");
	CHECK_SV(api_string(jv_first(p.whitelist), &scratch), "a");
	CHECK_SV(api_string(jv_next(jv_first(p.whitelist)), &scratch), "");
	CHECK_INT(decode(API_DISCONNECT, "{\"disconnect\":null}"), 0);
	CHECK(!jv_is(p.disconnect));
	fini();
}
